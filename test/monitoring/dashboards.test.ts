// The dashboards as files: complete, on a grid, asking by their variables alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rules } from './alert-files.js';
import { dashboards, emptyWhile, limitOf, metricNames, panelsOf, variablesOf } from './dashboard-files.js';

test('there are five dashboards, and each panel has a unit, a description and legends', () => {
  const all = dashboards();
  assert.deepEqual(
    all.map(({ uid }) => uid),
    ['sidestream-media', 'sidestream-overview', 'sidestream-recordings', 'sidestream-tenants', 'sidestream-trunks'],
  );
  for (const { uid, panels } of all) {
    assert.equal(panels[0]?.type, 'row', uid);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, uid);
  }
});

test('no panel lies over another, and none beyond the edge', () => {
  for (const { uid, panels } of dashboards()) {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(x < 24, `${uid}: ${title}`);
          assert.equal(taken.get(`${x} ${y}`), undefined, `${uid}: ${title}`);
          taken.set(`${x} ${y}`, title);
        }
  }
});

test("each query keeps to the chosen namespaces, each variable is used, and each legend's labels are there", () => {
  for (const board of dashboards()) {
    const queries = panelsOf(board).flatMap(({ targets }) => targets);
    for (const { expr, legendFormat } of queries) {
      assert.ok(expr.includes('namespace=~"$namespace"'), `${board.uid}: ${expr}`);
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        assert.match(
          expr,
          new RegExp(`\\bby \\([^)]*\\b${label}\\b|^1 - tenant:|^tenant:`),
          `${board.uid}: {{${label}}} of ${expr}`,
        );
    }
    for (const { name } of variablesOf(board))
      assert.ok(
        queries.some(({ expr }) => expr.includes(`$${name}`)),
        `${board.uid}: $${name}`,
      );
  }
});

test('few panels may be empty', () => {
  const empty = dashboards().flatMap((board) => panelsOf(board).filter((panel) => emptyWhile(panel) !== undefined));
  assert.ok(empty.length <= 13, empty.map(({ title }) => title).join());
  for (const panel of dashboards().flatMap(panelsOf))
    assert.equal(panel.fieldConfig.defaults.noValue, emptyWhile(panel), panel.title);
});

test('a line through curves is where an alert on the same begins', () => {
  const limited = dashboards().flatMap((board) => panelsOf(board).filter((panel) => limitOf(panel) !== undefined));
  assert.ok(limited.length >= 5, limited.map(({ title }) => title).join());
  for (const panel of limited) {
    const shown = new Set(panel.targets.flatMap(({ expr }) => metricNames(expr)));
    const alert = rules().alerts.find(
      ({ expr }) => expr.includes(`> ${limitOf(panel)}`) && metricNames(expr).some((name) => shown.has(name)),
    );
    assert.ok(alert, `${panel.title}: ${limitOf(panel)}`);
  }
});

test('names of metrics are found in PromQL', () => {
  assert.deepEqual(
    metricNames(
      '1 - sum by (le, a) (rate(x_bucket{b="c d"}[5m])) / on (e) (a:b:c5m and f offset 5m) > bool 14.4 * 1e3 # g',
    ),
    ['x_bucket', 'a:b:c5m', 'f'],
  );
});
