# Screen, keyguard, touches and charging: what PowerManagerService, the keyguard and BatteryService do to the state.

# The user (or the driver) does something that counts as activity: only an awake phone notices.
touch_user() {
    [ "$wakefulness" != Awake ] || touched=$now
}

wake() {
    [ "$wakefulness" != Awake ] || return 0
    wakefulness=Awake woke=$now touched=$now
    event SCREEN_INTERACTIVE android
    become_active
}

# The phone goes to sleep for a reason (power_button, sleep_button, timeout); the keyguard comes down at once.
fall_asleep() {
    [ "$wakefulness" = Awake ] || return 0
    wakefulness=Asleep slept=$now sleep_reason=$1
    event SCREEN_NON_INTERACTIVE android
    if [ "$lockable" = true ] && [ "$keyguard" = false ]; then
        keyguard=true
        event KEYGUARD_SHOWN android
    fi
    become_inactive
}

# An insecure keyguard goes away when asked to, if the screen is on.
dismiss_keyguard() {
    [ "$wakefulness" = Awake ] && [ "$keyguard" = true ] || return 0
    keyguard=false
    event KEYGUARD_HIDDEN android
}

# Plug types of BatteryManager: 0 none, 1 AC, 2 USB, 4 wireless.
charge() {
    plug=$1
    if [ "$plug" = 0 ]; then become_inactive; else become_active; fi
}

# DeviceIdleController: a lit screen or a charger ends idling, unless idling is forced.
become_active() {
    [ "$forced" = false ] || return 0
    deep=ACTIVE light=ACTIVE
}

become_inactive() {
    if [ "$forced" = false ]; then
        [ "$wakefulness" != Awake ] && [ "$plug" = 0 ] || return 0
    fi
    [ "$deep" != ACTIVE ] || deep=INACTIVE
    [ "$light" != ACTIVE ] || light=INACTIVE
}
