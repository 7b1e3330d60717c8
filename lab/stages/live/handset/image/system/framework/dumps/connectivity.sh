# dumpsys connectivity: one network, the lab's, called Wi-Fi.

dump_service() {
    load
    echo "NetworkProviders for:
  NetworkFactory

Active default network: 100

Current network preferences:
Current Networks:
  NetworkAgentInfo{network{100} handle{432902426637}  ni{WIFI CONNECTED extra: } Score(60)  created=0 lp{{InterfaceName: lab0 LinkAddresses: [ ] DnsAddresses: [ ] Domains: null MTU: 1500}}  nc{[ Transports: WIFI Capabilities: NOT_METERED&INTERNET&NOT_RESTRICTED&TRUSTED&NOT_VPN&VALIDATED&NOT_ROAMING&FOREGROUND&NOT_CONGESTED&NOT_SUSPENDED LinkUpBandwidth>=12000Kbps LinkDnBandwidth>=60000Kbps]}}

Status for known UIDs:"
}
