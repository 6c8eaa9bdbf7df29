// Microsoft's Graph client and MSAL against the fake.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { ConfidentialClientApplication } from '@azure/msal-node';
import { Client } from '@microsoft/microsoft-graph-client';
import { codeFrom, microsoft, microsoftToken, pkce, redirectUri, startFakes } from '../fakes.mjs';

const scope = 'openid offline_access User.Read Calendars.ReadWrite';
let fakes, graph;
before(async () => {
  fakes = await startFakes();
  const tokens = await microsoftToken(fakes.base, scope);
  assert.ok(tokens.refresh_token);
  // The client sends tokens to https hosts only, so it is given an https address and a fetch that
  // takes the same request to the fake.
  const host = 'https://graph.fake.test';
  const original = globalThis.fetch;
  globalThis.fetch = (url, options) =>
    String(url).startsWith(host) ? original(String(url).replace(host, `${fakes.base}/ms/graph`), options) : original(url, options);
  graph = Client.init({
    baseUrl: `${host}/`, defaultVersion: 'v1.0', customHosts: new Set(['graph.fake.test']),
    authProvider: (done) => done(null, tokens.access_token),
  });
});
after(() => fakes.stop('microsoft'));

const event = (transactionId) => ({
  subject: 'Repair', transactionId,
  start: { dateTime: '2026-11-24T10:00:00', timeZone: 'W. Europe Standard Time' },
  end: { dateTime: '2026-11-24T11:00:00', timeZone: 'W. Europe Standard Time' },
  singleValueExtendedProperties: [{ id: 'String {00020329-0000-0000-C000-000000000046} Name Daybind', value: 'E-1' }],
});
const viaFakes = (link) => link.replace(`${fakes.base}/ms/graph`, 'https://graph.fake.test');

test('the user and the calendars', async () => {
  const me = await graph.api('/me').get();
  assert.equal(me.userPrincipalName, 'tech@example.test');
  const { value } = await graph.api('/me/calendars').get();
  assert.equal(value.length, 3);
  assert.equal(value.filter((c) => !c.canEdit).length, 1);
});

test('create once, search by property, conditional change, delta', async () => {
  const id = (await graph.api('/me/calendars').get()).value.find((c) => c.isDefaultCalendar).id;
  const view = `/me/calendars/${id}/calendarView/delta`;
  const query = { startDateTime: '2026-11-01T00:00:00Z', endDateTime: '2026-12-01T00:00:00Z' };
  const start = await graph.api(view).query(query).get();
  const made = await graph.api(`/me/calendars/${id}/events`).post(event('t-1'));
  const again = await graph.api(`/me/calendars/${id}/events`).post(event('t-1'));
  assert.equal(again.id, made.id);
  assert.equal(made.start.dateTime, '2026-11-24T09:00:00.0000000');
  const found = await graph
    .api('/me/events')
    .filter("singleValueExtendedProperties/Any(ep: ep/id eq 'String {00020329-0000-0000-C000-000000000046} Name Daybind' and ep/value eq 'E-1')")
    .get();
  assert.deepEqual(found.value.map((e) => e.id), [made.id]);
  const etag = made['@odata.etag'];
  await graph.api(`/me/events/${made.id}`).header('If-Match', etag).patch({ subject: 'Repair 2' });
  await assert.rejects(
    graph.api(`/me/events/${made.id}`).header('If-Match', etag).patch({ subject: 'late' }),
    { statusCode: 412, code: 'ErrorIrresolvableConflict' },
  );
  const next = await graph.api(viaFakes(start['@odata.deltaLink'])).get();
  assert.deepEqual(next.value.map((e) => e.subject), ['Repair 2']);
  await graph.api(`/me/events/${made.id}`).delete();
  const last = await graph.api(viaFakes(next['@odata.deltaLink'])).get();
  assert.equal(last.value[0]['@removed'].reason, 'deleted');
  await fakes.control('POST', 'microsoft/expire-sync-tokens');
  await assert.rejects(graph.api(viaFakes(last['@odata.deltaLink'])).get(), { statusCode: 410 });
});

test('subscription with handshake', async () => {
  const hook = createServer((request, response) => {
    const token = new URL(request.url, 'http://x').searchParams.get('validationToken');
    response.writeHead(token ? 200 : 202, { 'content-type': 'text/plain' });
    response.end(token ?? '');
  }).listen(0, '127.0.0.1');
  await once(hook, 'listening');
  const body = {
    changeType: 'created,updated,deleted', resource: '/me/events', clientState: 'c',
    notificationUrl: `http://127.0.0.1:${hook.address().port}/hook`,
    expirationDateTime: new Date(Date.now() + 3600_000).toISOString(),
  };
  const made = await graph.api('/subscriptions').post(body);
  const renewed = await graph.api(`/subscriptions/${made.id}`).patch({ expirationDateTime: body.expirationDateTime });
  assert.equal(renewed.id, made.id);
  await graph.api(`/subscriptions/${made.id}`).delete();
  hook.close();
  await assert.rejects(graph.api('/subscriptions').post(body), { statusCode: 400, code: 'ValidationError' });
});

test('MSAL signs in as an application and with a code', async () => {
  const tenant = `https://login.fake.test/${microsoft.tenant}`;
  const login = (url) => url.replace('https://login.fake.test', `${fakes.base}/ms/login`);
  const call = async (url, options) => {
    const answer = await fetch(login(url), options);
    return { headers: Object.fromEntries(answer.headers), body: await answer.json(), status: answer.status };
  };
  // MSAL insists on https and takes its endpoints from metadata, so both are handed to it.
  const metadata = await (await fetch(`${fakes.base}/ms/login/${microsoft.tenant}/v2.0/.well-known/openid-configuration`)).text();
  const app = (clientSecret) =>
    new ConfidentialClientApplication({
      auth: {
        clientId: microsoft.id, clientSecret, authority: tenant, knownAuthorities: ['login.fake.test'],
        authorityMetadata: metadata.replaceAll(`${fakes.base}/ms/login`, 'https://login.fake.test'),
      },
      system: {
        networkClient: {
          sendGetRequestAsync: (url, options) => call(url, { headers: options?.headers }),
          sendPostRequestAsync: (url, options) => call(url, { method: 'POST', headers: options?.headers, body: options?.body }),
        },
      },
    });
  const own = await app(microsoft.secret).acquireTokenByClientCredential({ scopes: ['https://graph.microsoft.com/.default'] });
  assert.ok(own.accessToken);
  await assert.rejects(
    app('wrong').acquireTokenByClientCredential({ scopes: ['https://graph.microsoft.com/.default'] }),
    /7000215/,
  );
  const { verifier, challenge } = pkce();
  const client = app(microsoft.secret);
  const address = await client.getAuthCodeUrl({
    scopes: ['Calendars.ReadWrite'], redirectUri, codeChallenge: challenge, codeChallengeMethod: 'S256',
  });
  const code = await codeFrom(login(address));
  const user = await client.acquireTokenByCode({
    scopes: ['Calendars.ReadWrite'], redirectUri, code, codeVerifier: verifier,
  });
  assert.ok(user.accessToken);
});
