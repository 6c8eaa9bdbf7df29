import { createSocket } from 'node:dgram';

/** A name server with the TXT records of a map; a name it does not know does not exist (RFC 1035 section 4.1). */
export async function nameServer(records: Map<string, string>): Promise<{ address: string; stop(): void }> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const labels: string[] = [];
    let end = 12;
    while (question[end]) {
      const next = end + 1 + question[end]!;
      labels.push(question.toString('latin1', end + 1, next).toLowerCase());
      end = next;
    }
    end += 5;
    const text = records.get(labels.join('.'));
    const head = Buffer.from(question.subarray(0, end));
    Buffer.from([0x81, text === undefined ? 0x83 : 0x80, 0, 1, 0, text === undefined ? 0 : 1, 0, 0, 0, 0]).copy(head, 2);
    const value = Buffer.from(text ?? '', 'latin1');
    const answer = Buffer.from([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 0, 0, value.length + 1, value.length]);
    socket.send(text === undefined ? head : Buffer.concat([head, answer, value]), from.port, from.address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  return { address: `127.0.0.1:${socket.address().port}`, stop: () => socket.close() };
}
