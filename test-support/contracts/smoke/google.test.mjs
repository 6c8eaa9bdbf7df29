// Google's own Calendar client against the fake.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { auth, calendar } from '@googleapis/calendar';
import { google, googleToken, startFakes } from '../fakes.mjs';

// Given per call: as a client-wide option the library would drop the path of the address.
let fakes, api, tokens, at;
before(async () => {
  fakes = await startFakes();
  tokens = await googleToken(fakes.base, 'https://www.googleapis.com/auth/calendar');
  const client = new auth.OAuth2({
    clientId: google.id, clientSecret: google.secret,
    endpoints: { oauth2TokenUrl: `${fakes.base}/google/token`, oauth2RevokeUrl: `${fakes.base}/google/revoke` },
  });
  client.setCredentials(tokens);
  at = { rootUrl: `${fakes.base}/google/api/` };
  api = calendar({ version: 'v3', auth: client, retry: false });
});
after(() => fakes.stop('google'));

test('consent gives a refresh token and the picker shows three calendars', async () => {
  assert.ok(tokens.refresh_token);
  const { data } = await api.calendarList.list({}, at);
  assert.equal(data.items.length, 3);
  assert.equal(data.items.find((c) => c.primary).id, 'tech@example.test');
  assert.equal(data.items.filter((c) => c.accessRole === 'reader').length, 1);
});

test('insert, duplicate, conditional patch, delete, incremental sync', async () => {
  const first = await api.events.list({ calendarId: 'primary', maxResults: 1 }, at);
  assert.ok(first.data.nextSyncToken);
  const requestBody = {
    id: 'repair0001', summary: 'Repair',
    start: { dateTime: '2026-11-24T10:00:00+01:00', timeZone: 'Europe/Berlin' },
    end: { dateTime: '2026-11-24T11:00:00+01:00', timeZone: 'Europe/Berlin' },
    extendedProperties: { private: { daybind: '1' } },
  };
  const { data: made } = await api.events.insert({ calendarId: 'primary', requestBody }, at);
  await assert.rejects(api.events.insert({ calendarId: 'primary', requestBody }, at), { status: 409 });
  const patched = await api.events.patch(
    { calendarId: 'primary', eventId: made.id, requestBody: { summary: 'Repair 2' } },
    { ...at, headers: { 'If-Match': made.etag } },
  );
  assert.notEqual(patched.data.etag, made.etag);
  await assert.rejects(
    api.events.patch(
      { calendarId: 'primary', eventId: made.id, requestBody: { summary: 'late' } },
      { ...at, headers: { 'If-Match': made.etag } },
    ),
    { status: 412 },
  );
  const changed = await api.events.list({ calendarId: 'primary', syncToken: first.data.nextSyncToken }, at);
  assert.deepEqual(changed.data.items.map((e) => e.summary), ['Repair 2']);
  await api.events.delete({ calendarId: 'primary', eventId: made.id }, at);
  await assert.rejects(api.events.delete({ calendarId: 'primary', eventId: made.id }, at), { status: 410 });
  const gone = await api.events.list({ calendarId: 'primary', syncToken: changed.data.nextSyncToken }, at);
  assert.equal(gone.data.items[0].status, 'cancelled');
  await assert.rejects(
    api.events.list({ calendarId: 'primary', syncToken: gone.data.nextSyncToken, timeMin: '2026-01-01T00:00:00Z' }, at),
    { status: 400 },
  );
  await fakes.control('POST', 'google/expire-sync-tokens');
  await assert.rejects(
    api.events.list({ calendarId: 'primary', syncToken: gone.data.nextSyncToken }, at),
    { status: 410 },
  );
});

test('watch and stop', async () => {
  const { data } = await api.events.watch({
    calendarId: 'primary',
    requestBody: { id: 'channel-1', type: 'web_hook', address: 'http://127.0.0.1:9/hook', params: { ttl: '604800' } },
  }, at);
  assert.ok(Number(data.expiration) > Date.now());
  await api.channels.stop({ requestBody: { id: data.id, resourceId: data.resourceId } }, at);
});

test('the client refreshes an expired token and reads error reasons', async () => {
  await fakes.control('POST', 'google/expire-access-tokens');
  const { data } = await api.events.list({ calendarId: 'primary' }, at);
  assert.ok(data.items);
  await fakes.control('POST', 'faults', { operation: 'google.events.list', kind: 'status', status: 429, retry_after: 1 });
  await assert.rejects(api.events.list({ calendarId: 'primary' }, at), (error) => {
    assert.equal(error.status, 429);
    assert.equal(error.response.data.error.errors[0].reason, 'rateLimitExceeded');
    return true;
  });
});
