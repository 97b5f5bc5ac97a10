"""The programs that run on the Debian host: daemons in the foreground where a
package has one, else programs that wait for their input."""

import functools

from debian import Recipe

# {package: {program: arguments}}; input is a pipe that is kept open. Ports are
# those of a network namespace of their own.
ZOO = {
    "apache2-bin": {"/usr/sbin/apache2": "-DFOREGROUND -f /etc/zoo/apache2"},
    "apache2-utils": {
        "/usr/bin/rotatelogs": "/tmp/rotated 86400",
        "/usr/bin/logresolve": "",
    },
    "apt": {
        "/usr/lib/apt/methods/copy": "",
        "/usr/lib/apt/methods/file": "",
        "/usr/lib/apt/methods/http": "",
        "/usr/lib/apt/methods/store": "",
        "/usr/lib/apt/methods/gpgv": "",
    },
    "bind9": {"/usr/sbin/named": "-g -c /etc/zoo/named"},
    "bind9-dnsutils": {"/usr/bin/nslookup": "", "/usr/bin/nsupdate": ""},
    "brotli": {"/usr/bin/brotli": "-c"},
    "bsdextrautils": {
        "/usr/bin/col": "",
        "/usr/bin/colcrt": "",
        "/usr/bin/colrm": "",
        "/usr/bin/column": "",
        "/usr/bin/hexdump": "",
        "/usr/bin/ul": "-t dumb",
    },
    "bsdutils": {"/usr/bin/logger": "--no-act --socket-errors=off", "/usr/bin/script": "-c cat /tmp/typescript"},
    "curl": {"/usr/bin/curl": "-s file:///etc/zoo/fifo"},
    "expat": {"/usr/bin/xmlwf": ""},
    "fdisk": {"/usr/sbin/sfdisk": "--no-act /etc/zoo/disk",
              "/usr/sbin/fdisk": "/etc/zoo/disk"},
    "haproxy": {"/usr/sbin/haproxy": "-f /etc/zoo/haproxy"},
    "hostapd": {"/usr/sbin/hostapd": "-g /run/hostapd"},
    "iperf3": {"/usr/bin/iperf3": "-s"},
    "jq": {"/usr/bin/jq": "."},
    "libc-bin": {"/usr/bin/iconv": "-f UTF-8"},
    "memcached": {"/usr/bin/memcached": "-u memcache"},
    "mosquitto": {"/usr/sbin/mosquitto": "-p 1884"},
    "mosquitto-clients": {
        "/usr/bin/mosquitto_sub": "-p 1884 -t zoo",
        "/usr/bin/mosquitto_pub": "-p 1884 -t zoo -l",
    },
    "nginx": {"/usr/sbin/nginx": "-c /etc/zoo/nginx"},
    "nscd": {"/usr/sbin/nscd": "-F"},
    "openssh-client": {
        "/usr/bin/ssh-agent": "-D",
        "/usr/bin/ssh-keyscan": "-f -",
        "/usr/lib/openssh/ssh-pkcs11-helper": "",
        "/usr/lib/openssh/ssh-sk-helper": "",
    },
    "openssh-server": {"/usr/sbin/sshd": "-D -e"},
    "openssh-sftp-server": {"/usr/lib/openssh/sftp-server": ""},
    "openssl": {"/usr/bin/openssl": "enc -base64"},
    "parted": {"/usr/sbin/parted": "/etc/zoo/disk"},
    "perl-base": {"/usr/bin/perl": "-"},
    "radsecproxy": {"/usr/sbin/radsecproxy": "-f -c /etc/zoo/radsecproxy"},
    "redis-server": {"/usr/bin/redis-server": ""},  # a link into redis-tools
    "redis-tools": {"/usr/bin/redis-cli": ""},
    "rsync": {"/usr/bin/rsync":
              "--daemon --no-detach --port 873 --config=/etc/zoo/rsync"},
    "rsyslog": {"/usr/sbin/rsyslogd": "-n -f /etc/zoo/rsyslog -i NONE"},
    "sasl2-bin": {"/usr/sbin/saslauthd": "-d -a sasldb"},
    "sslh": {"/usr/sbin/sslh": "-f -p 127.0.0.1:4443 --ssh 127.0.0.1:22",
             "/usr/sbin/sslh-select":
             "-f -p 127.0.0.1:4444 --ssh 127.0.0.1:22"},
    "sudo": {"/usr/sbin/sudo_logsrvd": "-n", "/usr/bin/sudo": "cat",
             "/usr/bin/cvtsudoers": "-f json -"},
    "unbound": {"/usr/sbin/unbound": "-d -c /etc/zoo/unbound"},
    "unzip": {"/usr/bin/funzip": ""},
    "util-linux": {"/usr/bin/rev": "", "/usr/bin/flock": "/tmp/lock cat",
                   "/usr/bin/more": ""},
    "uuid-runtime": {"/usr/sbin/uuidd": "-F -P -s /run/uuidd.sock"},
    "wpasupplicant": {"/usr/sbin/wpa_supplicant": "-g /run/wpa",
                      "/usr/bin/wpa_passphrase": "zoo"},
    "xz-utils": {"/usr/bin/xz": "-c", "/usr/bin/lzmainfo": ""},
    "xzdec": {"/usr/bin/xzdec": ""},
    "zip": {"/usr/bin/zip": "- -"},
    "cron": {"/usr/sbin/cron": "-f"},
    "socat": {"/usr/bin/socat": "tcp-listen:7,fork echo"},
}
# Those of which the release and its updates have one version, or may have.
REPACKAGED = ["cron", "socat"]
# What the host runs besides.
ALSO = ["collectd-core", "libssl3"]

# What they need beside it, below /etc/zoo.
FILES = {
    "apache2": "ServerName zoo\nListen 8080\nPidFile /run/apache2.pid\n"
               "ErrorLog /dev/null\n"
               "LoadModule mpm_event_module"
               " /usr/lib/apache2/modules/mod_mpm_event.so\n"
               "LoadModule authz_core_module"
               " /usr/lib/apache2/modules/mod_authz_core.so\n",
    "haproxy": "defaults\n  mode tcp\n  timeout client 1s\n"
               "  timeout connect 1s\n  timeout server 1s\n"
               "listen zoo\n  bind 127.0.0.1:8081\n",
    "named": 'options { directory "/tmp"; listen-on { 127.0.0.1; };'
             ' pid-file "/run/named.pid"; session-keyfile "/run/named.key"; };\n'
             "controls { };\n",
    "nginx": "daemon off; user root; pid /run/nginx.pid; error_log /dev/null;\n"
             "events { }\nhttp { access_log off; server { listen 8082; } }\n",
    "radsecproxy": "ListenUDP 127.0.0.1:1812\n"
                   "client 127.0.0.1 {\n type udp\n secret zoo\n}\n"
                   "server zoo {\n type udp\n host 127.0.0.1\n secret zoo\n}\n"
                   "realm * {\n server zoo\n}\n",
    "rsync": "[zoo]\n  path = /tmp\n",
    "rsyslog": 'module(load="imuxsock")\n'
               'action(type="omfile" file="/tmp/log")\n',
    "unbound": "server:\n  interface: 127.0.0.2\n  do-daemonize: no\n"
               '  chroot: ""\n  username: ""\n  use-syslog: no\n'
               '  directory: "/tmp"\n  pidfile: "/run/unbound.pid"\n'
               "remote-control:\n  control-enable: no\n",
}


def prepare(root):
    """Lay out what the programs need."""
    root.path("/etc/zoo").mkdir()
    for name, text in FILES.items():
        (root.path("/etc/zoo") / name).write_text(text)
    root.shell("truncate -s 64M /etc/zoo/disk; mkfifo /etc/zoo/fifo;"
               "mkdir -p /run/sshd /run/nscd /var/cache/nscd")


@functools.cache
def recipe():
    return Recipe(ZOO, REPACKAGED, ALSO)
