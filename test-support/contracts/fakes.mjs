// Starts the daybind-fakes binary on a free port and gives small helpers around it.
// DAYBIND_FAKES_BIN names the binary; default is the debug build of the workspace.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const binary =
  process.env.DAYBIND_FAKES_BIN ??
  fileURLToPath(new URL('../../target/debug/daybind-fakes', import.meta.url));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export async function startFakes() {
  const port = await freePort();
  const child = spawn(binary, ['--listen', `127.0.0.1:${port}`, '--auto-approve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const base = `http://127.0.0.1:${port}`;
  const control = async (method, path, body) => {
    const answer = await fetch(`${base}/_control/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const json = await answer.json();
    if (!answer.ok) throw new Error(JSON.stringify(json));
    return json;
  };
  // With DAYBIND_FAKES_LOG_DIR set, the request log is kept there for check-log.
  const stop = async (name) => {
    const folder = process.env.DAYBIND_FAKES_LOG_DIR;
    if (folder) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `${name}.json`), JSON.stringify(await control('GET', 'log'), null, 1));
    }
    child.kill();
  };
  return { base, control, stop };
}

export const google = {
  id: 'daybind-demo.apps.googleusercontent.com',
  secret: 'demo-google-secret',
};
export const microsoft = {
  tenant: '11111111-1111-4111-8111-111111111111',
  id: '22222222-2222-4222-8222-222222222222',
  secret: 'demo-microsoft-secret',
};
export const redirectUri = 'http://127.0.0.1:9/callback';

export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

// Follows the authorize address (auto-approved) and returns the code.
export async function codeFrom(address) {
  const answer = await fetch(address, { redirect: 'manual' });
  if (answer.status !== 302) throw new Error(`${answer.status} ${await answer.text()}`);
  return new URL(answer.headers.get('location')).searchParams.get('code');
}

export async function googleToken(base, scope) {
  const { verifier, challenge } = pkce();
  const query = new URLSearchParams({
    client_id: google.id, redirect_uri: redirectUri, response_type: 'code', scope,
    access_type: 'offline', prompt: 'consent', code_challenge: challenge,
    code_challenge_method: 'S256', state: 's',
  });
  const code = await codeFrom(`${base}/google/o/oauth2/v2/auth?${query}`);
  const answer = await fetch(`${base}/google/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier,
      client_id: google.id, client_secret: google.secret,
    }),
  });
  return answer.json();
}

export async function microsoftToken(base, scope) {
  const { verifier, challenge } = pkce();
  const login = `${base}/ms/login/${microsoft.tenant}/oauth2/v2.0`;
  const query = new URLSearchParams({
    client_id: microsoft.id, redirect_uri: redirectUri, response_type: 'code', scope,
    code_challenge: challenge, code_challenge_method: 'S256', state: 's',
  });
  const code = await codeFrom(`${login}/authorize?${query}`);
  const answer = await fetch(`${login}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier,
      client_id: microsoft.id, client_secret: microsoft.secret,
    }),
  });
  return answer.json();
}
