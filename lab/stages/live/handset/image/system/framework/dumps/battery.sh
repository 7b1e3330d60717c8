# dumpsys battery [unplug | reset | set ac|usb|wireless|level N]: BatteryService, which tells the idle controller.

dump_service() {
    case ${1:-} in
        "") load; battery ;;
        unplug) edit; . "$system/framework/power.sh"; charge 0; save ;;
        reset) edit; . "$system/framework/power.sh"; level=100; charge 1; save ;;
        set) edit; . "$system/framework/power.sh"; set_battery "${2:-}" "${3:-}"; save ;;
        *) echo "Unknown command: $1" >&2; return 255 ;;
    esac
}

set_battery() {
    case $2 in
        "" | *[!0-9]*) echo "Bad value: $2" >&2; exit 255 ;;
    esac
    case $1 in
        level) level=$2 ;;
        ac) charge $(($2 ? 1 : 0)) ;;
        usb) charge $(($2 ? 2 : 0)) ;;
        wireless) charge $(($2 ? 4 : 0)) ;;
        *) echo "Unknown set option: $1" >&2; exit 255 ;;
    esac
}

battery() {
    ac=false usb=false wireless=false status=3
    case $plug in
        1) ac=true status=2 ;;
        2) usb=true status=2 ;;
        4) wireless=true status=2 ;;
    esac
    [ "$level" != 100 ] || [ "$plug" = 0 ] || status=5
    echo "Current Battery Service state:
  AC powered: $ac
  USB powered: $usb
  Wireless powered: $wireless
  Max charging current: 0
  Max charging voltage: 0
  Charge counter: 10000
  status: $status
  health: 2
  present: true
  level: $level
  scale: 100
  voltage: 5000
  temperature: 250
  technology: Li-ion"
}
