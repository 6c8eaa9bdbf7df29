// One address for several servers: what a browser asks goes to one after the other.
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';

export interface Alternate {
  /** How many requests each server got, files left out. */
  served: number[];
  stop(): Promise<void>;
}

/**
 * Listens on `port` and hands requests on to `ports` in turn. Files and streams count for nothing: a page's many would decide by chance
 * where the next step of a journey goes. So the page behind a form is another server's than the form's answer.
 */
export async function alternate(port: number, ports: readonly number[]): Promise<Alternate> {
  const agents = ports.map(() => new Agent({ keepAlive: true }));
  const served = ports.map(() => 0);
  let next = 0;
  const pass = (asked: IncomingMessage, answer: ServerResponse) => {
    const turn = next;
    if (!/^\/(pkg|fonts|status)\/|^\/_live|\.(svg|txt)$/.test(asked.url ?? '')) {
      served[turn]! += 1;
      next = (next + 1) % ports.length;
    }
    const onward = request({
      host: '127.0.0.1', port: ports[turn], agent: agents[turn],
      method: asked.method, path: asked.url, headers: asked.headers,
    }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.rawHeaders);
      got.pipe(answer);
    });
    onward.on('error', (error) => {
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502, { 'content-type': 'text/plain' }).end(`server ${turn + 1} of ${ports.length}: ${error.message}`);
    });
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  };
  const front = createServer(pass);
  await new Promise<void>((done, fail) => {
    front.once('error', fail);
    front.listen(port, '127.0.0.1', done);
  });
  return {
    served,
    stop: async () => {
      const closed = new Promise((done) => front.close(done));
      front.closeAllConnections();
      for (const agent of agents) agent.destroy();
      await closed;
    },
  };
}
