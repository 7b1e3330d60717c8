# ActivityManager's shell commands, reached by `am` and by `cmd activity`.

# The package of "package/class", "package/.class" or "package"; fails if it is not installed.
package_of() {
    package=${1%%/*}
    class=${1#*/}
    case $class in
        "$1") class=$package.MainActivity ;;
        .*) class=$package$class ;;
    esac
    uid_of "$package"
}

start_activity() {
    component=
    while [ $# -gt 0 ]; do
        case $1 in
            -n | -p) component=$2; shift ;;
            -a | -c | -d | -t | -f | --user | --display | -e | --es | --ei | --ez | --el) shift ;;
            -*) ;;
            *) component=$1 ;;
        esac
        shift
    done
    edit
    echo "Starting: Intent { cmp=$component }"
    if ! package_of "$component"; then
        echo "Error type 3"
        echo "Error: Activity class {$component} does not exist."
        return 1
    fi
    front=$package
    ran "$package"
    save
}

# As ActivityManagerService does: every process of the package's uid dies, whoever started it.
force_stop() {
    edit
    package_of "$1" || return 0
    victim=$uid
    ended "$package"
    [ "$front" != "$package" ] || front=
    save
    setpriv --reuid "$victim" --regid "$victim" --clear-groups sh -c 'kill -9 -1' 2>/dev/null || :
}

# Only background processes may be killed; sockets of the uid are left to force-stop.
kill_background() {
    edit
    package_of "$1" || return 0
    [ "$front" = "$package" ] || ended "$package"
    save
}

# ActivityManager.PROCESS_STATE_*: number and name. The numbers of the cached states moved with Android 11.
uid_state() {
    load
    resumed
    number=20 state=NONEXISTENT
    [ "$sdk" -ge 30 ] || number=21
    for process in $running; do
        case $process in
            "$top":"$1":*) number=2 state=TOP; break ;;
            "$front":"$1":*) number=12 state=TOP_SLEEPING; [ "$sdk" -ge 30 ] || number=13; break ;;
            *:"$1":*) number=16 state=CACHED_ACTIVITY; [ "$sdk" -ge 30 ] || number=17 ;;
        esac
    done
    echo "$number ($state)"
}

activity_command() {
    verb=${1:-}
    [ $# -eq 0 ] || shift
    while [ "${1:-}" = --user ] && [ "$verb" != start ]; do shift 2; done
    case $verb in
        start | start-activity) start_activity "$@" ;;
        force-stop) force_stop "${1:-}" ;;
        kill) kill_background "${1:-}" ;;
        kill-all) edit; running=; save ;;
        get-uid-state) uid_state "${1:-}" ;;
        get-current-user) echo 0 ;;
        *) echo "Unknown command: $verb" >&2; return 255 ;;
    esac
}
