# dumpsys netstats [detail]: bytes by uid, from data/system/netstats (uid|set|bucket start s|rb|rp|tb|tp a line).
# Whoever counts (the sensor beside the phone) writes that file; without it there are no uid rows, only none invented.

dump_service() {
    load
    key="[{type=1, ratType=COMBINED, wifiNetworkKey=\"lab\"open, metered=false, defaultNetwork=true, oemManaged=OEM_NONE, subId=-1}]"
    [ "$sdk" -ge 31 ] || key="[{type=WIFI, subType=COMBINED, networkId=\"lab\", metered=false, defaultNetwork=true}]"
    echo "Active interfaces:
  iface=lab0 ident=$key
Active UID interfaces:
  iface=lab0 ident=$key"
    heading="UID stats:"
    [ "$sdk" -ge 33 ] || heading="Detailed UID stats:"
    echo "$heading
  Pending bytes: 0
  History since boot:"
    export key
    [ ! -r "$data/system/netstats" ] || mawk -F'|' '
        { id = $1 " set=" ($2 == "" ? "DEFAULT" : $2); if (!(id in rows)) order[++count] = id
          rows[id] = rows[id] "      st=" $3 " rb=" $4 " rp=" $5 " tb=" $6 " tp=" $7 " op=0\n" }
        END { for (i = 1; i <= count; i++)
            printf "  ident=%s uid=%s tag=0x0\n    NetworkStatsHistory: bucketDuration=3600\n%s", ENVIRON["key"], order[i], rows[order[i]] }
        ' "$data/system/netstats"
    echo "UID tag stats:
  Pending bytes: 0
  History since boot:"
}
