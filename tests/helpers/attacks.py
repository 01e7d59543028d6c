"""What a web page can make a browser do to a service: each a JavaScript function of (url, record).

`SENDING` tries to store the record; `READING` returns what the page could read. The service's answers to READING must
not hold anything of a run, and SENDING must store nothing, unless the page is an allowed one.
"""

from __future__ import annotations

from typing import Final

_JSON: Final = "JSON.stringify({runs: [record]})"

SENDING: Final[dict[str, str]] = {
    "fetch": f"""fetch(url + '/runs', {{method: 'POST',
        headers: {{'Content-Type': 'application/json'}}, body: {_JSON}}})""",
    "fetch of text": f"fetch(url + '/runs', {{method: 'POST', body: {_JSON}}})",
    "fetch of a blob": f"fetch(url + '/runs', {{method: 'POST', body: new Blob([{_JSON}])}})",
    "no-cors text": f"fetch(url + '/runs', {{method: 'POST', mode: 'no-cors', body: {_JSON}}})",
    "no-cors blob": f"fetch(url + '/runs', {{method: 'POST', mode: 'no-cors', body: new Blob([{_JSON}])}})",
    "no-cors typed blob": f"""fetch(url + '/runs', {{method: 'POST', mode: 'no-cors',
        body: new Blob([{_JSON}], {{type: 'application/json'}})}})""",
    "no-cors typed header": f"""fetch(url + '/runs', {{method: 'POST', mode: 'no-cors',
        headers: {{'Content-Type': 'application/json'}}, body: {_JSON}}})""",
    "no-cors bytes": f"""fetch(url + '/runs', {{method: 'POST', mode: 'no-cors',
        body: new TextEncoder().encode({_JSON})}})""",
    "no-cors blob, packed": f"""fetch(url + '/runs', {{method: 'POST', mode: 'no-cors',
        headers: {{'Content-Encoding': 'gzip'}}, body: await new Response(
            new Blob([{_JSON}]).stream().pipeThrough(new CompressionStream('gzip'))).blob()}})""",
    "no-cors, no referrer": f"""fetch(url + '/runs', {{method: 'POST', mode: 'no-cors', referrerPolicy: 'no-referrer',
        body: new Blob([{_JSON}])}})""",
    "beacon of text": f"navigator.sendBeacon(url + '/runs', {_JSON})",
    "beacon of a blob": f"navigator.sendBeacon(url + '/runs', new Blob([{_JSON}]))",
    "beacon of bytes": f"navigator.sendBeacon(url + '/runs', new TextEncoder().encode({_JSON}))",
    "beacon of a typed blob": f"""navigator.sendBeacon(url + '/runs',
        new Blob([{_JSON}], {{type: 'application/json'}}))""",
    "request of old": f"""new Promise((done, failed) => {{
        const asked = new XMLHttpRequest();
        asked.onload = done; asked.onerror = failed;
        asked.open('POST', url + '/runs'); asked.send(new Blob([{_JSON}]));
    }})""",
    # The name and the value of the field make the text of a JSON body: {"runs":[…],"x":"="}.
    **{
        f"form of {kind}": f"""new Promise(done => {{
            const frame = document.createElement('iframe'), form = document.createElement('form');
            const field = document.createElement('input');
            frame.name = 'answer' + Math.random();
            document.body.append(frame, form);
            form.append(field);
            Object.assign(form, {{action: url + '/runs', method: 'post', enctype: '{kind}', target: frame.name}});
            Object.assign(field, {{name: {_JSON}.slice(0, -1) + ',"x":"', value: '"}}'}});
            form.submit();
            frame.onload = () => setTimeout(done, 100);
        }})"""
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
    },
    "sandboxed frame": f"""new Promise(done => {{
        const frame = document.createElement('iframe');
        frame.sandbox = 'allow-scripts';
        frame.srcdoc = `<script>
            fetch('${{url}}/runs', {{method: 'POST', mode: 'no-cors', body: new Blob([${{JSON.stringify({_JSON})}}])}})
                .catch(() => 0).then(() => parent.postMessage('done', '*'));
        </` + `script>`;
        addEventListener('message', done, {{once: true}});
        document.body.append(frame);
    }})""",
}

READING: Final[dict[str, str]] = {
    "fetch": "fetch(url + '/runs').then(answer => answer.text())",
    "fetch with credentials": "fetch(url + '/runs', {credentials: 'include'}).then(answer => answer.text())",
    "fetch of a problem": "fetch(url + '/runs/7').then(answer => answer.text())",
    "no-cors": """fetch(url + '/runs', {mode: 'no-cors'}).then(async answer =>
        [answer.type, answer.status, [...answer.headers].join(), await answer.text()].join() === 'opaque,0,,'
        ? '' : 'not opaque')""",
    "request of old": """new Promise((done, failed) => {
        const asked = new XMLHttpRequest();
        asked.onload = () => done(asked.responseText); asked.onerror = failed;
        asked.open('GET', url + '/runs'); asked.send();
    })""",
    "image": """new Promise((done, failed) => {
        const image = new Image();
        image.onload = () => done('an image of ' + image.naturalWidth); image.onerror = failed;
        image.src = url + '/runs';
    })""",
    "image with cors": """new Promise((done, failed) => {
        const image = new Image();
        image.onload = () => done('an image of ' + image.naturalWidth); image.onerror = failed;
        image.crossOrigin = 'anonymous'; image.src = url + '/docs/favicon-32x32.png';
    })""",
    "pixels of an image": """new Promise((done, failed) => {
        const image = new Image(), canvas = document.createElement('canvas');
        image.onload = () => {
            try {
                canvas.getContext('2d').drawImage(image, 0, 0);
                done('pixels ' + canvas.toDataURL());
            } catch (error) { failed(error); }
        };
        image.onerror = failed; image.src = url + '/docs/favicon-32x32.png';
    })""",
    "script": """new Promise((done, failed) => {
        const script = document.createElement('script');
        script.onload = () => done('a script ran'); script.onerror = failed;
        script.src = url + '/runs'; document.body.append(script);
    })""",
    "style sheet": """new Promise((done, failed) => {
        const link = document.createElement('link');
        link.onload = () => done('a style sheet'); link.onerror = failed;
        link.rel = 'stylesheet'; link.href = url + '/runs'; document.body.append(link);
    })""",
    "frame": """new Promise((done, failed) => {
        const frame = document.createElement('iframe');
        frame.onload = () => { try { done(frame.contentWindow.document.body.innerText) } catch (e) { failed(e) } };
        frame.src = url + '/runs'; document.body.append(frame);
    })""",
    "event source": """new Promise((done, failed) => {
        const source = new EventSource(url + '/runs');
        source.onmessage = source.onopen = event => done('an event ' + event.data); source.onerror = failed;
    })""",
    "web socket": """new Promise((done, failed) => {
        const socket = new WebSocket(url.replace('http', 'ws') + '/runs');
        socket.onopen = () => done('a socket'); socket.onerror = failed;
    })""",
    "worker": """new Promise((done, failed) => {
        const text = `fetch('${url}/runs').then(a => a.text()).catch(() => '').then(t => postMessage(t))`;
        const worker = new Worker(URL.createObjectURL(new Blob([text])));
        worker.onmessage = event => done(event.data); worker.onerror = failed;
    })""",
}


ENDLESS: Final = "it does not end"


def script(action: str) -> str:
    """A function for `evaluate`: what the action returns as text, ENDLESS after two minutes.

    The text is empty when the browser or the service forbids it.
    """
    return f"""([url, record]) => Promise.race([
        (async () => {action})().then(found => typeof found === 'string' ? found : '', () => ''),
        new Promise(done => setTimeout(() => done('{ENDLESS}'), 120000)),
    ])"""
