"""The main job, shown: messages between a Prosody account and a linphone registered at Kamailio, through Gatehouse."""

import argparse
import queue
import signal
import sys
import tempfile

import lab
from xmpp_user import XmppUser


def cross(scene):
    """One message each way; prints what arrived. Fails when one does not."""
    phone = scene.sip_user("ann")
    romeo = XmppUser(f"romeo@{lab.XMPP_DOMAIN}/laptop", lab.PASSWORD, scene.ports["c2s"], scene.authority.ca_file)
    print(f"\nromeo@{lab.XMPP_DOMAIN} (Prosody)  ->  sip:ann@{lab.SIP_DOMAIN} (linphone at Kamailio)", flush=True)
    romeo.send(f"ann@{lab.SIP_DOMAIN}", "Lunch at one?")
    phone.wait_for(f"Message received from <sip:romeo@{lab.XMPP_DOMAIN}", 40)
    line = next(line for line in phone.text().splitlines() if "Message received from" in line)
    print("  linphone printed:", line.removeprefix("linphonec> "))
    if "Lunch at one?" not in line:
        raise RuntimeError("the text was not what was sent")

    print(f"sip:ann@{lab.SIP_DOMAIN} (linphone)  ->  romeo@{lab.XMPP_DOMAIN} (Prosody)", flush=True)
    phone.say(f"chat sip:romeo@{lab.XMPP_DOMAIN} At one, downstairs.")
    message = romeo.receive(40)
    print("  the XMPP client received:", message["from"], "says", repr(message["body"]))
    if message["type"] == "error" or message["body"] != "At one, downstairs.":
        raise RuntimeError(f"that is not what was sent: {message}")
    romeo.close()


def main():
    arguments = argparse.ArgumentParser(prog="quickstart", description=__doc__)
    arguments.add_argument("--build", required=True, help="build folder with bin/gatehoused")
    arguments.add_argument("--once", action="store_true", help="end after the messages have crossed")
    options = arguments.parse_args()

    folder = tempfile.mkdtemp(prefix="gatehouse-quickstart-")
    scene = lab.Lab(folder, lab.pathlib.Path(options.build).resolve())
    status = 1
    try:
        print(f"Everything of this run lies in {folder}; each program's log is there as NAME.log.")
        for what, start in (("DNS (unbound)", scene.start_dns), ("XMPP partner (Prosody)", scene.start_prosody),
                            ("SIP server (Kamailio)", scene.start_kamailio), ("Gatehouse", scene.start_gatehouse)):
            print(f"starting {what} ...", flush=True)
            start()
        scene.add_partner()
        cross(scene)
        print("\n" + scene.ctl("status"))
        status = 0
        if not options.once:
            stay(scene, folder)
    except (RuntimeError, TimeoutError, OSError, queue.Empty) as problem:
        print(f"quickstart: {problem or 'nothing arrived in time'}", file=sys.stderr)
        status = 1
    finally:
        code = scene.stop()
        if code not in (0, None):
            print(f"quickstart: gatehoused ended with {code}", file=sys.stderr)
            status = 1
    return status


def stay(scene, folder):
    ctl = f"{scene.build}/bin/gatehousectl --runtime-dir {folder}/run"
    print(f"""Both directions work. It stays up until Ctrl-C. To look around, in another terminal:
  {ctl} status
  {ctl} partner explain {lab.XMPP_DOMAIN}
  {ctl} test stream {lab.XMPP_DOMAIN}
  an XMPP client: romeo@{lab.XMPP_DOMAIN}, password {lab.PASSWORD}, server 127.0.0.1:{scene.ports['c2s']}
  a SIP client: any name @{lab.SIP_DOMAIN}, registrar 127.0.0.1:{scene.ports['sip']} (TCP or UDP), no password""",
          flush=True)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("\nending ...", flush=True)


if __name__ == "__main__":
    sys.exit(main())
