# dumpsys power. Android 12 took last activity and wake lock summary apart by display group.

dump_service() {
    load
    display=OFF on=false dim=0x0
    [ "$wakefulness" != Awake ] || display=ON on=true dim=0x1
    powered=false
    [ "$plug" = 0 ] || powered=true
    staying=false
    [ $((stayon & plug)) = 0 ] || staying=true
    deep_idle=false light_idle=false
    [ "$deep" != IDLE ] || deep_idle=true
    [ "$light" != IDLE ] || light_idle=true
    if [ "$sdk" -ge 31 ]; then since_android_12; else before_android_12; fi
}

# The lines both have.
head_of_power() {
    echo "POWER MANAGER (dumpsys power)

Power Manager State:
  Settings power_manager_constants:
    no_cached_wake_locks=true
  mDirty=0x0
  mWakefulness=$wakefulness
  mWakefulnessChanging=false
  mIsPowered=$powered
  mPlugType=$plug
  mBatteryLevel=$level
  $1=0
  mDockState=0
  mStayOn=$staying
  mProximityPositive=false
  mBootCompleted=true
  mSystemReady=true
  mHalAutoSuspendModeEnabled=false
  mHalInteractiveModeEnabled=$on
  mWakeLockSummary=0x0"
}

idle_of_power() {
    echo "  mBatteryLevelLow=false
  mLightDeviceIdleMode=$light_idle
  mDeviceIdleMode=$deep_idle
  mDeviceIdleWhitelist=[1000, 2000]
  mDeviceIdleTempWhitelist=[]"
}

slept_of_power() {
    echo "  mLastWakeTime=$woke ($((now - woke)) ms ago)
  mLastSleepTime=$slept ($((now - slept)) ms ago)
  mLastSleepReason=$sleep_reason"
}

before_android_12() {
    head_of_power mBatteryLevelWhenDreamStarted
    echo "  mUserActivitySummary=$dim
  mRequestWaitForNegativeProximity=false
  mSandmanScheduled=false
  mSandmanSummoned=false"
    idle_of_power
    slept_of_power
    echo "  mLastUserActivityTime=$touched ($((now - touched)) ms ago)
  mLastUserActivityTimeNoChangeLights=0 ($now ms ago)
  mLastInteractivePowerHintTime=$touched ($((now - touched)) ms ago)
  mLastScreenBrightnessBoostTime=0 ($now ms ago)
  mScreenBrightnessBoostInProgress=false
  mDisplayReady=true
  mHoldingWakeLockSuspendBlocker=false
  mHoldingDisplaySuspendBlocker=$on

Settings and Configuration:
  mStayOnWhilePluggedInSetting=$stayon
  mScreenBrightnessModeSetting=0
  mIsVrModeEnabled=false

Sleep timeout: -1 ms
Screen off timeout: 60000 ms
Screen dim duration: 7000 ms

Wake Locks: size=0

Suspend Blockers: size=4
  PowerManagerService.WakeLocks: ref count=0
  PowerManagerService.Display: ref count=$((0 + dim))
  PowerManagerService.Broadcasts: ref count=0
  PowerManagerService.WirelessChargerDetector: ref count=0

Display Power: state=$display

Battery saving stats:"
}

since_android_12() {
    head_of_power mDreamsBatteryLevelDrain
    echo "  mRequestWaitForNegativeProximity=false
  mInterceptedPowerKeyForProximity=false
  mSandmanScheduled=false"
    idle_of_power
    [ "$sdk" -lt 33 ] || echo "  mLowPowerStandbyActive=false"
    slept_of_power
    echo "  mLastInteractivePowerHintTime=$touched ($((now - touched)) ms ago)
  mLastScreenBrightnessBoostTime=0 ($now ms ago)
  mScreenBrightnessBoostInProgress=false
  mHoldingWakeLockSuspendBlocker=false
  mHoldingDisplaySuspendBlocker=$on

Settings and Configuration:
  mStayOnWhilePluggedInSetting=$stayon
  mMaximumScreenOffTimeoutFromDeviceAdmin=9223372036854775807 (enforced=false)
  mIsVrModeEnabled=false

Attentive timeout: -1 ms
Sleep timeout: -1 ms
Screen off timeout: 60000 ms
Screen dim duration: 7000 ms

Wake Locks: size=0

Suspend Blockers: size=4
  PowerManagerService.Display: ref count=$((0 + dim))
  PowerManagerService.Broadcasts: ref count=0
  PowerManagerService.WakeLocks: ref count=0
  PowerManagerService.WirelessChargerDetector: ref count=0

Display Power: com.android.server.power.PowerManagerService\$1@a9e846a

Battery saving stats:

AttentionDetector:
 mIsSettingEnabled=false
 mMaxExtensionMillis=900000
 mPreDimCheckDurationMillis=2000
 mEffectivePostDimTimeout=0
 mLastUserActivityTime(excludingAttention)=$touched
 mAttentionServiceSupported=false
 mRequested=false

Display Group User Activity:
  displayGroupId=0
  userActivitySummary=$dim
  lastUserActivityTime=$touched ($((now - touched)) ms ago)
  lastUserActivityTimeNoChangeLights=0 ($now ms ago)
  mWakeLockSummary=0x0"
}
