"""Zeek's logs joined by connection."""

CONN = (
    "1 C1 10.0.0.2 40000 9.9.9.9 443 tcp ssl 2.5 10 20 SF - - ShADad 3 200 4 300",
    "2 C2 10.0.0.2 40001 10.0.0.1 53 udp dns 0.5 30 40 SF - - Dd 1 58 1 68",
    "3 C3 8.8.8.8 5 10.0.0.2 80 tcp - - - - S0 - - S 1 40 0 0",
)
ENDS = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p"
SSL = "1 C1 10.0.0.2 40000 9.9.9.9 443 a.example"
DNS = "2 C2 10.0.0.2 40001 10.0.0.1 53 b.example 9.9.9.8"


def test_conn_gives_flows_and_the_others_say_what_they_were(imported, zeek):
    found = imported(
        a=zeek("conn", *CONN),
        b=zeek("ssl", SSL, fields=f"{ENDS}\tserver_name"),
        c=zeek("dns", DNS, fields=f"{ENDS}\tquery\tanswers"),
    )
    rows = found.tables["flows"].to_pylist()
    assert [(row["client"], row["inbound"], row["name"], row["app_proto"], row["established"]) for row in rows] == [
        ("10.0.0.2", False, "a.example", "tls", True),
        ("10.0.0.2", False, None, "dns", True),
        ("8.8.8.8", True, None, None, False),
    ]
    assert [row["flow"] for row in rows] == [0, 1, 2]
    (look_up,) = found.tables["dns"].to_pylist()
    assert (look_up["flow"], look_up["qname"], look_up["bytes_up"]) == (1, "b.example", 30)


def test_without_conn_a_connection_lasts_over_its_mentions_and_counts_are_null(imported, zeek):
    again = SSL.replace("1 ", "9 ", 1)
    found = imported(a=zeek("ssl", SSL, again, fields=f"{ENDS}\tserver_name"))
    (row,) = found.tables["flows"].to_pylist()
    assert (row["start"], row["end"], row["sni"], row["proto"]) == (1_000_000, 9_000_000, "a.example", "tcp")
    assert [row[name] for name in ("bytes_up", "packets_down", "established")] == [None] * 3
    assert (found.accounts[0].rows, found.accounts[0].joined) == ({"flows": 1}, 1)


def test_dns_alone_is_what_a_resolver_sees(imported, zeek):
    found = imported(a=zeek("dns", DNS, fields=f"{ENDS}\tquery\tanswers"))
    assert set(found.tables) == {"dns"}


def test_labels_change_nothing(imported, zeek):
    plain = imported(a=zeek("conn", *CONN)).tables["flows"]
    fields = zeek("conn").split("#fields\t")[1].split("\n")[0]
    labelled = zeek("conn", *(f"{row} Malicious x" for row in CONN), fields=f"{fields}\tlabel\tdetailedlabel")
    assert imported(a=labelled).tables["flows"].equals(plain)


def test_tsv_and_json_of_the_same_log_give_the_same(imported, zeek):
    import json

    names = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration")
    names = (*names, "orig_bytes", "resp_bytes", "conn_state", "local_orig", "local_resp", "history")
    names = (*names, "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes")
    texts = {"uid", "id.orig_h", "id.resp_h", "proto", "service", "conn_state", "history"}
    lines = [
        json.dumps(
            {
                n: v if n in texts else float(v) if n in ("ts", "duration") else int(v)
                for n, v in zip(names, row.split(" "), strict=True)
                if v != "-"
            }
        )
        for row in CONN
    ]
    tsv = imported(a=zeek("conn", *CONN)).tables["flows"]
    assert imported(a="\n".join(lines) + "\n").tables["flows"].equals(tsv)
