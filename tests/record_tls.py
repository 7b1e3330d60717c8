"""Records TLS handshakes of the client stacks on this machine into lab/protocols/data/handshakes.json.

Usage: python tests/record_tls.py CURL_CFFI_PYTHON [NAME ...] > lab/protocols/data/handshakes.json
Names record only those, as entries to append: a timeline's stack is a place in the file.
Needs curl, wget, node, java and javac, git's libcurl-gnutls, libcurl-nss, and a Python with curl_cffi (BoringSSL).
Every client talks to one OpenSSL server on loopback. Kept are the clear bytes of both sides and the lengths of the
encrypted records; keys, random values and the key log are not. Rarely run: the file it makes is the recording.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

HOST = "lab.example"
STACK_WORDS = r"curl \d[.\d]*|Python ssl|node v[.\d]+|JSSE of openjdk version \S+|GNU Wget [.\d]+|(?:lib)?curl/\S+|OpenSSL[ /][.\d]+|GnuTLS(?:/[.\d]+| under)|NSS(?:/[.\d]+| under)|BoringSSL as \S+ by \S+|BoringSSL set as Conscrypt is documented"
JAVA = """
import javax.net.ssl.*; import java.security.*; import java.security.cert.X509Certificate; import java.util.List;
public class Hello {
  public static void main(String[] a) throws Exception {
    TrustManager[] any = { new X509TrustManager() {
      public void checkClientTrusted(X509Certificate[] c, String t) {}
      public void checkServerTrusted(X509Certificate[] c, String t) {}
      public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; } } };
    SSLContext c = SSLContext.getInstance("TLS"); c.init(null, any, new SecureRandom());
    SSLSocket s = (SSLSocket) c.getSocketFactory().createSocket("127.0.0.1", Integer.parseInt(a[0]));
    SSLParameters p = s.getSSLParameters(); p.setServerNames(List.of(new SNIHostName("lab.example")));
    if (!a[1].equals("-")) p.setApplicationProtocols(a[1].split(","));
    if (!a[2].equals("-")) p.setProtocols(a[2].split(","));
    s.setSSLParameters(p); s.startHandshake(); s.getOutputStream().write("x".getBytes()); s.getInputStream().read(); s.close();
  } }
"""
NODE = """
const tls=require('tls'),o={port:+process.argv[1],host:'127.0.0.1',servername:'lab.example',rejectUnauthorized:false};
if(process.argv[2]!='-')o.ALPNProtocols=process.argv[2].split(',');
const s=tls.connect(o,()=>s.write('x'));s.on('data',()=>s.end());
"""
LIBCURL = """
import ctypes,sys
c=ctypes.CDLL(sys.argv[1]);c.curl_easy_init.restype=ctypes.c_void_p
h=ctypes.c_void_p(c.curl_easy_init());n=[]
def s(o,v):c.curl_easy_setopt(h,o,v)
sl=c.curl_slist_append;sl.restype=ctypes.c_void_p
s(10002,f'https://lab.example:{sys.argv[2]}/'.encode())
s(10203,ctypes.c_void_p(sl(None,f'lab.example:{sys.argv[2]}:127.0.0.1'.encode())));s(64,0);s(81,0)
s(84,4);c.curl_easy_perform(h);c.curl_version.restype=ctypes.c_char_p;print(c.curl_version().decode())
"""
CFFI = """
import sys;from curl_cffi import Curl,CurlOpt
c=Curl();c.impersonate(sys.argv[1]);p=sys.argv[2]
c.setopt(CurlOpt.URL,f'https://lab.example:{p}/'.encode());c.setopt(CurlOpt.RESOLVE,[f'lab.example:{p}:127.0.0.1'])
c.setopt(CurlOpt.SSL_VERIFYPEER,0);c.setopt(CurlOpt.SSL_VERIFYHOST,0)
try:c.perform()
except Exception:pass
print(c.version().decode())
"""
# BoringSSL set as Conscrypt's documentation and sources describe Android's clients (from memory): no GREASE, no
# permutation, no SCT, no certificate compression; argv: port, version cap, ALPN, suites, curves
CONSCRYPT = """
import sys;from curl_cffi import Curl,CurlOpt as O
c=Curl();p,newest,alpn,suites=sys.argv[1:]
c.setopt(O.URL,f'https://lab.example:{p}/'.encode());c.setopt(O.RESOLVE,[f'lab.example:{p}:127.0.0.1'])
c.setopt(O.SSL_VERIFYPEER,0);c.setopt(O.SSL_VERIFYHOST,0)
c.setopt(O.SSL_CIPHER_LIST,suites.encode());c.setopt(O.SSL_EC_CURVES,b'X25519:P-256:P-384')
c.setopt(O.SSL_ENABLE_TICKET,1);c.setopt(O.TLS_GREASE,0);c.setopt(O.SSL_PERMUTE_EXTENSIONS,0)
c.setopt(O.TLS_SIGNED_CERT_TIMESTAMPS,0);c.setopt(O.TLS_STATUS_REQUEST,1);c.setopt(O.SSL_ENABLE_ALPS,0)
c.setopt(O.SSL_ENABLE_ALPN,int(bool(alpn)));c.setopt(O.HTTP_VERSION,4 if 'h2' in alpn else 2)
c.setopt(O.SSLVERSION,{'1.3':4|7<<16,'1.2':4|6<<16}[newest])
try:c.perform()
except Exception as e:print(e,file=sys.stderr)
print(c.version().decode())
"""
_GCM = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305:"
_ECDSA_CBC = "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:"
_REST = "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA"
ANDROID = {
    # OkHttp 4's ConnectionSpec.MODERN_TLS leaves ECDSA with CBC out; HttpsURLConnection and bare sockets do not
    "conscrypt-okhttp4": ("1.3", "h2,http/1.1", _GCM + _REST),
    "conscrypt-urlconnection": ("1.3", "http/1.1", _GCM + _ECDSA_CBC + _REST),
    "conscrypt-socket": ("1.3", "", _GCM + _ECDSA_CBC + _REST),
    "conscrypt-okhttp4-android9": ("1.2", "h2,http/1.1", _GCM + _REST),  # TLS 1.3 came with Android 10
}
PYTHON = """
import socket,ssl,sys
c=ssl.create_default_context();c.check_hostname=False;c.verify_mode=ssl.CERT_NONE
if sys.argv[2]!='-':c.set_alpn_protocols(sys.argv[2].split(','))
s=c.wrap_socket(socket.create_connection(('127.0.0.1',int(sys.argv[1]))),server_hostname='lab.example')
s.send(b'x');s.recv(1)
"""


def server_context(folder: Path) -> ssl.SSLContext:
    """An OpenSSL server with a certificate made for this run; its key never leaves the temporary folder."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(start)
    made = made.not_valid_after(start + dt.timedelta(days=3650))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    pem += key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    context.set_alpn_protocols(["http/1.1"])
    return context


def serve(
    listener: socket.socket, context: ssl.SSLContext, flights: list[tuple[str, bytes]], seen: dict[str, str]
) -> None:
    """One connection through memory BIOs, so that every byte of both directions passes through our hands."""
    peer, _ = listener.accept()
    peer.settimeout(10)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    done = False
    while not done:
        try:
            if tls.version() is None or not seen:
                tls.do_handshake()
                seen["version"], seen["cipher"] = str(tls.version()), str(tls.cipher())
                seen["alpn"] = tls.selected_alpn_protocol() or ""
            tls.read(1)
            done = True
        except ssl.SSLWantReadError:
            pass
        if out := outgoing.read():
            flights.append(("s", out))
            peer.sendall(out)
        if not done:
            got = peer.recv(65536)
            if not got:
                break
            flights.append(("c", got))
            incoming.write(got)
    peer.close()


def records(data: bytes) -> list[list[object]]:
    """TLS records as [type, version, clear bytes in hex or encrypted length]; encryption starts after CCS or at type 23."""
    found: list[list[object]] = []
    place, sealed = 0, False
    while place < len(data):
        kind, version, size = (
            data[place],
            data[place + 1 : place + 3].hex(),
            int.from_bytes(data[place + 3 : place + 5], "big"),
        )
        body = data[place + 5 : place + 5 + size]
        found.append([kind, version, size if sealed or kind == 23 else body.hex()])
        sealed = sealed or kind == 20
        place += 5 + size
    return found


def record(name: str, stack: str, command: list[str]) -> dict[str, object]:
    """Run one client against a new server; its handshake as flights of records, application data cut off."""
    flights: list[tuple[str, bytes]] = []
    seen: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        port = listener.getsockname()[1]
        worker = threading.Thread(target=serve, args=(listener, server_context(Path(folder)), flights, seen))
        worker.start()
        ran = subprocess.run(
            [part.replace("PORT", str(port)) for part in command],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        worker.join()
    if "version" not in seen:
        raise SystemExit(f"{name}: no handshake: {ran.stderr[-500:]} {flights}")
    client = records(b"".join(data for side, data in flights if side == "c"))
    server = records(b"".join(data for side, data in flights if side == "s"))
    # what follows the client's Finished: its requests, and in TLS 1.3 the server's tickets
    finished = 1 + next(i for i, (kind, _, body) in enumerate(client) if isinstance(body, int))
    return {
        "name": name,
        "stack": "; ".join(re.findall(STACK_WORDS, f"{stack} {ran.stdout}")),
        "recorded": dt.datetime.now(dt.UTC).date().isoformat(),  # noqa: TID251 - provenance is a date
        "version": seen["version"],
        "cipher": seen["cipher"],
        "selected_alpn": seen["alpn"],
        # OpenSSL pads only if told to (curl and Python do), and only hellos of 256 to 511 bytes: RFC 7685
        # BoringSSL pads TLS 1.3 hellos always
        "pads": (
            name.startswith(("openssl-curl", "boringssl-chrome", "conscrypt"))
            and (seen["version"] == "TLSv1.3" or name.startswith("openssl"))
        )
        or any(has_padding(body) for _, _, body in client[:1]),
        "permutes": bool(re.match(r"boringssl-chrome(?!99)", name)),  # Chrome 110 and later: any order of extensions
        "client": client[:finished],
        "server": server,
    }


def has_padding(body: object) -> bool:
    """Whether a ClientHello that is exactly 512 bytes long is so because of its padding extension."""
    return isinstance(body, str) and len(body) == 2 * 512


def version_of(*command: str) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return (ran.stdout + ran.stderr).splitlines()[0]


def clients(cffi: str, folder: Path) -> list[tuple[str, str, list[str]]]:
    """(shape name, stack and version, command) of every client; PORT stands for the server's port."""
    (folder / "Hello.java").write_text(JAVA)
    subprocess.run(["javac", "-d", str(folder), str(folder / "Hello.java")], check=True)
    java = ["java", "-cp", str(folder), "Hello", "PORT"]
    curl = ["curl", "-sk", "--resolve", f"{HOST}:PORT:127.0.0.1", f"https://{HOST}:PORT/"]
    lib = "/usr/lib/x86_64-linux-gnu/libcurl-{}.so.4"
    impersonated = [
        (f"boringssl-{name}", "BoringSSL as set by curl-impersonate", [cffi, "-c", CFFI, name, "PORT"])
        for name in ("chrome99_android", "chrome131_android", "chrome146", "okhttp4_android", "firefox147")
    ]
    found = [
        ("openssl-curl", version_of("curl", "-V"), curl),
        ("openssl-curl-12", version_of("curl", "-V"), [*curl, "--tls-max", "1.2"]),
        (
            "openssl-node",
            f"node {version_of('node', '-p', 'process.version+` OpenSSL `+process.versions.openssl')}",
            ["node", "-e", NODE, "PORT", "http/1.1"],
        ),
        ("openssl-python", f"Python ssl, {ssl.OPENSSL_VERSION}", [sys.executable, "-c", PYTHON, "PORT", "http/1.1"]),
        ("jsse", f"JSSE of {version_of('java', '-version')}", [*java, "h2,http/1.1", "-"]),
        ("jsse-12", f"JSSE of {version_of('java', '-version')}", [*java, "-", "TLSv1.2"]),
        (
            "gnutls-wget",
            f"GnuTLS under {version_of('wget', '-V')}",
            ["wget", "-q", "-O-", "-t1", "--no-check-certificate", "https://localhost:PORT/"],
        ),
        ("gnutls-curl", "GnuTLS under", [sys.executable, "-c", LIBCURL, lib.format("gnutls"), "PORT"]),
        ("nss-curl", "NSS under", [sys.executable, "-c", LIBCURL, lib.format("nss"), "PORT"]),
    ]
    newer = [
        (f"boringssl-{name}", "BoringSSL as set by curl-impersonate", [cffi, "-c", CFFI, name, "PORT"])
        for name in ("chrome110", "chrome120", "chrome124", "chrome142")
    ]
    android = [
        (name, "BoringSSL set as Conscrypt is documented", [cffi, "-c", CONSCRYPT, "PORT", *words])
        for name, words in ANDROID.items()
    ]
    return found + impersonated + newer + android


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shapes = []
        wanted = sys.argv[2:]
        for name, stack, command in clients(sys.argv[1], Path(folder)):
            if wanted and name not in wanted:
                continue
            try:
                shapes.append(record(name, stack, command))
            except SystemExit as error:
                print(error, file=sys.stderr)
    json.dump(shapes, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
