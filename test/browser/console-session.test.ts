// What becomes of the console when its user's session is renewed, ends, or is ended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromiumMissing, eventually } from '@sidestream/peers';
import { consoleOf, inspect, several } from './console-page.js';

const skip = chromiumMissing();

test('a token that is refused is renewed without a word', { skip }, async (t) => {
  const { gateway, page } = await consoleOf(t);
  const [old = ''] = gateway.tokens;
  gateway.isGood = (token) => token !== old;
  gateway.tell('call.started');
  await eventually(() => gateway.tokens.at(-1) !== old, 'a new token is used');
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();
  assert.equal(await page.getByText('Your session has ended').count(), 0);
});

test('a session that can not be renewed: a sign-in is asked for, and the same view is there again after it', {
  skip,
}, async (t) => {
  const { gateway, page } = await consoleOf(t, several);
  const end = () => {
    const refused = new Set(gateway.tokens);
    gateway.isGood = (token) => !refused.has(token);
    gateway.issuer.signIn.renews = false;
    gateway.tell('call.started');
  };
  const prompt = page.getByRole('alertdialog', { name: 'Your session has ended' });
  const dialog = page.locator('dialog:not([role="alertdialog"])');
  await page.getByRole('searchbox', { name: 'Search live calls' }).fill('inbound');
  await page.locator('[data-call="call-1"]').getByRole('button', { name: 'Open' }).click();
  await dialog.waitFor();
  end();
  await prompt.waitFor();
  assert.equal(await dialog.count(), 1, 'the call is still to be seen');
  await inspect(page, 'expired');
  await prompt.getByRole('button', { name: 'Sign in again' }).click();
  await page.getByRole('link', { name: 'Olga' }).click();
  await dialog.getByText('call-1', { exact: true }).waitFor();
  assert.equal(await page.locator('[data-call]').count(), 4, 'the search is as it was');
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();

  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  end();
  await prompt.getByRole('button', { name: 'Keep looking' }).click();
  await page.locator('.banner').getByText('Your session has ended.').waitFor();
  assert.equal(await page.locator('[data-call]').count(), 4);
  await inspect(page, 'expired-looking');
  await page.locator('.banner').getByRole('button', { name: 'Sign in again' }).click();
  await page.getByRole('link', { name: 'Olga' }).click();
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();
});

test('who signs in where another one’s session has ended finds nothing of what that one had open', {
  skip,
}, async (t) => {
  const { gateway, page } = await consoleOf(t, several);
  await page.getByRole('searchbox', { name: 'Search live calls' }).fill('inbound');
  await page.locator('[data-call="call-1"]').getByRole('button', { name: 'Open' }).click();
  await page.locator('dialog').waitFor();
  const refused = new Set(gateway.tokens);
  gateway.isGood = (token) => !refused.has(token);
  gateway.issuer.signIn.renews = false;
  gateway.tell('call.started');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Sign in again' }).click();
  await page.getByRole('link', { name: 'Otto' }).click();
  await page.getByRole('banner').getByText('Otto').waitFor();
  // It is outbound.
  await page.locator('[data-call="call-3"]').waitFor();
  assert.equal(await page.locator('dialog').count(), 0);
});

test('who signs out while a token is renewed stays signed out', { skip }, async (t) => {
  const { gateway, page } = await consoleOf(t);
  let letGo: () => void = () => {};
  await page.route('**/token', async (route) => {
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await route.continue();
  });
  const refused = new Set(gateway.tokens);
  gateway.isGood = (token) => !refused.has(token);
  const asking = page.waitForRequest('**/token');
  gateway.tell('call.started');
  await asking;
  await page.getByRole('button', { name: 'Sign out' }).click();
  const answered = page.waitForResponse('**/token');
  letGo();
  await answered;
  await page.reload();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.equal(await page.evaluate(`sessionStorage.getItem('session')`), null);
});
