# Usage events (milliseconds|type|package, oldest first) as UsageStatsService prints them, with the totals by package.
BEGIN {
    epoch = ENVIRON["epoch"] + 0
    present = epoch + ENVIRON["now"]
    day = present - 86400000
    print "user=0"
    print "  Last 24 hour events (timeRange=\"" stamp(day) " \342\200\223 " stamp(present) "\")"
}
$1 < day { next }
{
    line = "    time=\"" stamp($1) "\" type=" $2 " package=" $3
    if ($2 ~ /^ACTIVITY_/) line = line " class=" $3 ".MainActivity instanceId=" instance($3) " taskRootPackage=" $3 " taskRootClass=" $3 ".MainActivity"
    print line " flags=0x0"
}
$2 == "ACTIVITY_RESUMED" { since[$3] = $1; last[$3] = $1; launches[$3]++ }
$2 == "ACTIVITY_PAUSED" && $3 in since { total[$3] += $1 - since[$3]; last[$3] = $1; delete since[$3] }
END {
    print "  In-memory daily stats"
    print "    timeRange=\"" stamp(day) " \342\200\223 " stamp(present) "\""
    print "    packages"
    for (package in last) {
        if (package in since) { total[package] += present - since[package]; last[package] = present }
        print "      package=" package " totalTimeUsed=\"" length_of(total[package]) "\" lastTimeUsed=\"" stamp(last[package]) \
            "\" totalTimeVisible=\"" length_of(total[package]) "\" lastTimeVisible=\"" stamp(last[package]) \
            "\" appLaunchCount=" launches[package]
    }
}
# Milliseconds since the epoch as local time; strftime is slow, so the last second is remembered.
function stamp(ms) {
    second = int(ms / 1000)
    if (second != last_second) { last_second = second; last_stamp = strftime("%Y-%m-%d %H:%M:%S", second) }
    return last_stamp
}
# DateUtils.formatElapsedTime: [h:]mm:ss
function length_of(ms, s) {
    s = int(ms / 1000)
    if (s >= 3600) return sprintf("%d:%02d:%02d", s / 3600, s % 3600 / 60, s % 60)
    return sprintf("%02d:%02d", s / 60, s % 60)
}
function instance(package) {
    if (!(package in instances)) instances[package] = 1000 + ++instance_count
    return instances[package]
}
