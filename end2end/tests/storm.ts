// A door before Daybind whose stream of changes is a storm: everything else goes through.
import { createServer, request } from 'node:http';
import { freePort } from './daybind.js';

export interface Storm { url: string; sent(): number; close(): void }

/** Tells `perSecond` changes of `topic` on `/_live`, to whoever listens. */
export async function storm(daybind: string, topic: string, perSecond: number): Promise<Storm> {
  const inner = new URL(daybind);
  const port = await freePort();
  const url = `http://${inner.hostname}:${port}`;
  let sent = 0;
  const server = createServer((asked, answer) => {
    if (asked.url?.startsWith('/_live')) {
      answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      answer.write('data: hello\n\n');
      const tick = 20;
      const beat = setInterval(() => {
        for (let n = 0; n < perSecond * tick / 1000; n += 1) {
          sent += 1;
          answer.write(`id: 1.${sent.toString(16)}.1\ndata: ${topic} ${sent}\n\n`);
        }
      }, tick);
      answer.on('close', () => clearInterval(beat));
      return;
    }
    const own = (text?: string) => text?.replaceAll(url, inner.origin);
    const headers = { ...asked.headers, host: inner.host, origin: own(asked.headers.origin), referer: own(asked.headers.referer) };
    for (const name of ['origin', 'referer'] as const) if (headers[name] === undefined) delete headers[name];
    const onward = request({ host: inner.hostname, port: inner.port, path: asked.url, method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((up) => { server.listen(port, inner.hostname, up); });
  return { url, sent: () => sent, close: () => { server.closeAllConnections(); server.close(); } };
}
