# dumpsys usagestats: what happened to screen, keyguard and apps, each event with the phone's local time, to the second.

dump_service() {
    load
    export record epoch now sdk
    mawk -F'|' -f "$system/framework/usagestats.awk" "$data/system/usagestats"
}
