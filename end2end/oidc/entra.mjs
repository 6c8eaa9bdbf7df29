// A Microsoft directory played by oidc-provider, a certified OpenID provider by others: the only part of ours is this front,
// which gives it Entra's paths and the claims `tid`, `oid` and `ver`. Everything comes from the environment:
// ENTRA_PORT, ENTRA_DIRECTORY (GUID), ENTRA_CLIENT, ENTRA_SECRET, ENTRA_REDIRECT.
//
// People sign in with any name and any password on its own page. What stands before the @ can ask for an unusual account:
// `guest.` is of another directory, `personal.` of the one for personal accounts, `nobody.` has no object id.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { ENTRA_PORT, ENTRA_DIRECTORY, ENTRA_CLIENT, ENTRA_SECRET, ENTRA_REDIRECT } = process.env;
const base = `http://127.0.0.1:${ENTRA_PORT}`;
const mount = `/${ENTRA_DIRECTORY}/v2.0`;

/** The same person has the same object id in every run. */
function objectId(name) {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function claims(name) {
  const all = {
    sub: name, tid: ENTRA_DIRECTORY, oid: objectId(name), ver: '2.0', name: `Account ${name}`,
    preferred_username: name, email: name, xms_edov: true,
  };
  if (name.startsWith('guest.')) all.tid = '33333333-3333-4333-8333-333333333333';
  if (name.startsWith('personal.')) all.tid = '9188040d-6c67-4c5b-b112-36a304b66dad';
  if (name.startsWith('nobody.')) delete all.oid;
  return all;
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const provider = new Provider(`${base}${mount}`, {
  clients: [{
    client_id: ENTRA_CLIENT,
    client_secret: ENTRA_SECRET,
    redirect_uris: [ENTRA_REDIRECT],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    // As Entra: the secret in the form.
    token_endpoint_auth_method: 'client_secret_post',
  }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'entra-1' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  claims: {
    openid: ['sub', 'tid', 'oid', 'ver'],
    profile: ['name', 'preferred_username'],
    email: ['email', 'xms_edov'],
  },
  // As Entra: the ID token holds them.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => claims(sub) }),
  features: { devInteractions: { enabled: true } },
});
provider.on('server_error', (_, error) => console.error(error));
for (const refused of ['authorization.error', 'grant.error']) {
  provider.on(refused, (_, error) => console.error(`${refused}: ${error.error} ${error.error_description}`));
}

const serve = provider.callback();
const entra = { authorize: 'auth', token: 'token' };
createServer((request, response) => {
  // Entra's authorize and token stand beside `v2.0`, the provider's below its issuer.
  const [, path, query] = /^([^?]*)(\?.*)?$/.exec(request.url);
  const [, name] = new RegExp(`^/${ENTRA_DIRECTORY}/oauth2/v2\\.0/(authorize|token)$`).exec(path) ?? [];
  // Only Entra knows `select_account`; asking for the name anew comes closest.
  const asked = (query ?? '').replace('prompt=select_account', 'prompt=login');
  const target = name ? `${mount}/${entra[name]}${asked}` : request.url;
  if (!target.startsWith(`${mount}/`)) {
    response.writeHead(404).end();
    return;
  }
  request.originalUrl = target;
  request.url = target.slice(mount.length);
  serve(request, response);
}).listen(Number(ENTRA_PORT), '127.0.0.1', () => console.log(`listening at ${base}${mount}`));
