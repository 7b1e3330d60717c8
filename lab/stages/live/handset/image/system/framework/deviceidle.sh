# DeviceIdleController's shell commands, reached by `cmd deviceidle` and by `dumpsys deviceidle`.
. "$system/framework/power.sh"

step_deep() {
    case $deep in
        INACTIVE) deep=IDLE_PENDING ;;
        IDLE_PENDING) deep=SENSING ;;
        SENSING) deep=LOCATING ;;
        LOCATING | IDLE_MAINTENANCE) deep=IDLE light=OVERRIDE ;;
        IDLE) deep=IDLE_MAINTENANCE ;;
    esac
}

step_light() {
    case $light in
        INACTIVE | IDLE_MAINTENANCE | WAITING_FOR_NETWORK) light=IDLE ;;
        IDLE) light=IDLE_MAINTENANCE ;;
    esac
}

# Forces deep or light idling, by steps; light is out of reach once deep idling has overridden it.
force_idle() {
    forced=true
    become_inactive
    case $1 in
        deep)
            while [ "$deep" != IDLE ]; do step_deep; done
            ;;
        light)
            while [ "$light" != IDLE ]; do
                was=$light
                step_light
                [ "$light" != "$was" ] || { unforce; echo "Unable to go light idle; stopped at $was"; return 255; }
            done
            ;;
        *) echo "Unknown idle mode: $1"; return 255 ;;
    esac
    echo "Now forced in to $1 idle mode"
}

unforce() {
    [ "$forced" = true ] || return 0
    forced=false
    [ "$wakefulness" != Awake ] && [ "$plug" = 0 ] || become_active
}

idle_get() {
    charging=true
    [ "$plug" != 0 ] || charging=false
    screen=false
    [ "$wakefulness" != Awake ] || screen=true
    case $1 in
        light) echo "$light" ;;
        deep) echo "$deep" ;;
        force) echo "$forced" ;;
        screen) echo "$screen" ;;
        charging) echo "$charging" ;;
        network) echo true ;;
        *) echo "Unknown get option: $1" ;;
    esac
}

idle_command() {
    verb=$1
    [ "$verb" != get ] || { load; idle_get "$2"; return; }
    edit
    code=0
    case $verb in
        force-idle) force_idle "${2:-deep}" || code=$? ;;
        unforce) unforce; echo "Light state: $light, deep state: $deep" ;;
        force-active) forced=false; deep=ACTIVE light=ACTIVE; echo "Light state: $light, deep state: $deep" ;;
        force-inactive) forced=true; become_inactive; echo "Light state: $light, deep state: $deep" ;;
        step)
            case ${2:-deep} in
                deep) step_deep; echo "Stepped to deep: $deep" ;;
                light) step_light; echo "Stepped to light: $light" ;;
                *) echo "Unknown idle mode: $2" ;;
            esac
            ;;
        *) echo "Unknown deviceidle command: $verb" >&2; return 255 ;;
    esac
    save
    return "$code"
}
