// Brings a fresh machine to where Sidestream can be built, tested and shown: Node packages, Debian packages, build.
// Idempotent and quick when nothing is missing. With nothing but Node installed it must work, so it imports no package.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

/** What Debian gives us, by purpose: the file that shows it is there, and the package. */
const debian = {
  demo: [
    { file: '/usr/sbin/nats-server', name: 'nats-server' },
    { file: '/usr/bin/rtpengine', name: 'rtpengine-daemon' },
  ],
  test: [
    { file: '/usr/bin/sipp', name: 'sip-tester' },
    { file: '/usr/sbin/kamailio', name: 'kamailio' },
    { file: '/etc/kamailio/tls.cfg', name: 'kamailio-tls-modules' },
    { file: '/usr/bin/chromium', name: 'chromium' },
    { file: '/usr/bin/promtool', name: 'prometheus' },
    { file: '/usr/lib/python3/dist-packages/pylibsrtp/__init__.py', name: 'python3-pylibsrtp' },
  ],
};

/** Makes everything ready. `forTests` adds what only the tests need. */
export function setUp({ forTests }) {
  checkNode();
  const started = Date.now();
  installNodePackages();
  installDebianPackages([...debian.demo, ...(forTests ? debian.test : [])]);
  step('build');
  run('npm', ['run', '--silent', 'build']);
  console.error(`set-up done in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

/** Installs the packages of package-lock.json unless exactly those are there. */
export function installNodePackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const marker = join(root, 'node_modules', '.sidestream-lock');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return;
  step('npm ci');
  // Optional native add-ons of packages are not needed, so no install script has to run.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(marker, lock);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Node ${process.versions.node} is too old: Sidestream needs 20.19 or newer.`);
    process.exit(1);
  }
}

function installDebianPackages(wanted) {
  const missing = wanted.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  if (missing.length === 0) return;
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...missing];
  if (!existsSync('/usr/bin/apt-get') || (prefix.length > 0 && spawnSync('sudo', ['-n', 'true']).status !== 0)) {
    console.error(`Missing programs. Please run:\n  sudo apt-get update && sudo ${install.join(' ')}`);
    process.exit(1);
  }
  step(`Debian packages: ${missing.join(' ')}`);
  withoutDaemons(prefix, () => {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (args) => run([...prefix, ...args][0], [...prefix, ...args].slice(1), { env, quiet: true });
    apt(['apt-get', 'update', '-qq']);
    apt([...install, '-qq']);
  });
}

/** Debian starts a daemon when it installs it, unless policy-rc.d forbids: nothing may be left running. */
function withoutDaemons(prefix, work) {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return work();
  const asRoot = (command) => spawnSync([...prefix, ...command][0], [...prefix, ...command].slice(1));
  if (prefix.length === 0) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  else asRoot(['sh', '-c', `printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod 755 ${policy}`]);
  const remove = () => {
    if (prefix.length === 0) rmSync(policy, { force: true });
    else asRoot(['rm', '-f', policy]);
  };
  process.once('exit', remove);
  work();
  remove();
  process.removeListener('exit', remove);
}

function step(text) {
  console.error(`• ${text}`);
}
