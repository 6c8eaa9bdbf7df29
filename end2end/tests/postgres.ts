// A private PostgreSQL cluster for the journeys that run on it; a fresh database for each.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

const bin = process.env.DAYBIND_TEST_POSTGRES_BIN ?? '/usr/lib/postgresql/15/bin';

// Ends, and takes the cluster along, when its standard input closes: that happens however this process ends.
const script = `
set -eu
dir=$(mktemp -d "\${TMPDIR:-/tmp}/daybind-postgres.XXXXXX")
cd "$dir"
pid=
stop() {
    if [ -n "$pid" ]; then kill -QUIT "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; fi
    cd /
    rm -rf "$dir"
}
trap stop EXIT
trap '' INT TERM HUP
"$1/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >init.log 2>&1 || { cat init.log >&2; exit 1; }
"$1/postgres" -D data -k "$dir" -c listen_addresses= -c fsync=off </dev/null >server.log 2>&1 &
pid=$!
tries=0
until "$1/pg_isready" -q -h "$dir"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then cat server.log >&2; exit 1; fi
    sleep 0.1
done
echo "$dir"
read -r _ || true
`;

/** PostgreSQL refuses to run as root. */
function unprivileged(): string[] {
  if (process.getuid?.() !== 0) return ['sh'];
  const user = spawnSync('id', ['-u', 'postgres']).status === 0 ? 'postgres' : 'nobody';
  const group = user === 'nobody' ? 'nogroup' : user;
  return ['setpriv', '--reuid', user, '--regid', group, '--clear-groups', 'sh'];
}

export class Postgres {
  private databases = 0;

  private constructor(private child: ChildProcess, private socket: string) {}

  static async start(): Promise<Postgres> {
    const [program = 'sh', ...args] = unprivileged();
    const child = spawn(program, [...args, '-c', script, 'sh', bin], { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' });
    const socket = await new Promise<string>((done, fail) => {
      child.stdout?.once('data', (line: Buffer) => done(line.toString().trim()));
      child.once('exit', () => fail(new Error('PostgreSQL did not start; see above')));
    });
    return new Postgres(child, socket);
  }

  /** What a server needs to use a new, empty database. */
  database(): Record<string, string> {
    this.databases += 1;
    const name = `journey_${this.databases}`;
    const made = spawnSync(join(bin, 'createdb'), ['-h', this.socket, '-U', 'postgres', name], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(made.stderr);
    return {
      DATABASE_URL: `postgres://postgres@localhost/${name}?host=${this.socket}`,
      DAYBIND_MASTER_KEY: randomBytes(32).toString('base64'),
    };
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.stdin?.end();
    await ended;
  }
}
