# dumpsys deviceidle [COMMAND]: the idle controller, or with words one of its shell commands.

dump_service() {
    if [ $# -gt 0 ]; then
        . "$system/framework/deviceidle.sh"
        idle_command "$@"
        return
    fi
    load
    screen=false charging=true locked=$keyguard
    [ "$wakefulness" != Awake ] || screen=true
    [ "$plug" != 0 ] || charging=false
    echo "  Settings:
    light_after_inactive_to=+4m0s0ms
    light_idle_to=+5m0s0ms
    inactive_to=+30m0s0ms
    idle_to=+60m0s0ms
  Whitelist system apps:
  Whitelist app uids:
    UID=1000: true
  mLightEnabled=true  mDeepEnabled=true
  mForceIdle=$forced
  mUseMotionSensor=false mMotionSensor=null
  mScreenOn=$screen
  mScreenLocked=$locked
  mNetworkConnected=true
  mCharging=$charging
  mMotionActive=false
  mNotMoving=false
  mState=$deep mLightState=$light
  mInactiveTimeout=+30m0s0ms
  mCurLightIdleBudget=+1m0s0ms"
}
