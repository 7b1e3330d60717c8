# The state of the phone: one record of shell assignments, read whole, written whole, changed under a lock.
# Beside it lie only lists (packages, properties, settings, usage events, counters). Nothing else is remembered.
# Times are milliseconds since boot (Android's uptimeMillis); epoch is the wall clock at boot, also in milliseconds.
system=${ANDROID_ROOT:-/system}
data=${ANDROID_DATA:-/data}
record=$data/system/state
packages=$data/system/packages.list
events_kept=1000

# Reads the record and the clock.
load() {
    if [ ! -r "$record" ]; then
        echo "Permission Denial: only the shell and root may ask" >&2
        exit 255
    fi
    . "$record"
    read -r now _ </proc/uptime
    now=${now%.*}${now#*.}0
}

# Like load, for a command that changes something: it waits for its turn and remembers what was in front.
edit() {
    [ -w "$record" ] || load
    exec 9>>"$data/system/lock"
    flock 9
    load
    log=
    resumed
    before=$top
}

# The package whose activity is resumed: none while the screen is off or the keyguard is shown.
resumed() {
    top=
    [ "$wakefulness" != Awake ] || [ "$keyguard" = true ] || top=${front:-$launcher}
}

# Notes one usage event: type, package.
event() {
    log="$log$((epoch + now))|$1|$2
"
    events=$((events + 1))
}

# Writes the events noted, then the record: in place and in one page, so that no reader sees half of it.
save() {
    resumed
    if [ "$top" != "$before" ]; then
        [ -z "$before" ] || event ACTIVITY_PAUSED "$before"
        [ -z "$top" ] || event ACTIVITY_RESUMED "$top"
        [ -z "$before" ] || event ACTIVITY_STOPPED "$before"
        [ -z "$top" ] || ran "$top"
    fi
    [ -z "$log" ] || printf '%s' "$log" >>"$data/system/usagestats"
    [ "$events" -lt $((events_kept * 3 / 2)) ] || forget
    printf '%-4095s\n' "sdk=$sdk epoch=$epoch launcher=$launcher
wakefulness=$wakefulness keyguard=$keyguard lockable=$lockable front=$front
touched=$touched woke=$woke slept=$slept sleep_reason=$sleep_reason
stayon=$stayon plug=$plug level=$level deep=$deep light=$light forced=$forced
next_pid=$next_pid events=$events
running='$running'" 1<>"$record"
}

# A phone forgets usage events after days; this one after a number of them.
forget() {
    tail -n "$events_kept" "$data/system/usagestats" >"$data/system/usagestats.new"
    mv "$data/system/usagestats.new" "$data/system/usagestats"
    events=$events_kept
}

# The uid of an installed package, in $uid; empty (and false) if there is none.
uid_of() {
    case " $running " in
        *" $1:"*)
            uid=${running#*"$1:"}
            uid=${uid%%:*}
            ;;
        *) uid=$(mawk -F'|' -v package="$1" '$1 == package { print $2; exit }' "$packages") ;;
    esac
    [ -n "$uid" ]
}

# Puts a package first among the processes (package:uid:pid, most recent first, 24 at most), starting it if needed.
ran() {
    pid=
    rest=
    kept=1
    for process in $running; do
        case $process in
            "$1:"*) pid=${process##*:} ;;
            *) [ $kept -ge 24 ] || rest="$rest $process"; kept=$((kept + 1)) ;;
        esac
    done
    uid_of "$1" || uid=1000
    [ -n "$pid" ] || { pid=$next_pid; next_pid=$((next_pid + 37)); }
    running="$1:$uid:$pid$rest"
}

# Drops the processes of a package.
ended() {
    rest=
    for process in $running; do
        case $process in
            "$1:"*) ;;
            *) rest="$rest $process" ;;
        esac
    done
    running=${rest# }
}
