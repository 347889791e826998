'use strict';

// An nginx of one's own, with the module loaded, in a folder of its own.  What
// it has to do says a class that extends this one and has a configuration():
// what stands behind "events".
//
//   const nginx = new Mine();
//   nginx.prepare();                    // nginx.root, nginx.file(name)
//   nginx.configure();
//   await nginx.spawn();                // listens
//   await nginx.halt();                 // its files stay for another spawn()
//   await nginx.stop();

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const BINARY = process.env.TEST_NGINX_BINARY || '/usr/sbin/nginx';
const MODULES = (process.env.TEST_NGINX_LOAD_MODULES || '').split(' ').filter(Boolean);

const running = new Set();

process.on('exit', () => running.forEach((child) => child.kill()));


class Nginx {

  prepare() {
    this.root = fs.mkdtempSync(path.join(os.tmpdir(), 'clockodo-'));

    // nginx's workers are not root, and have to get there
    fs.chmodSync(this.root, 0o755);
  }

  file(name) {
    return path.join(this.root, name);
  }

  configure({ level = 'warn', main = '' } = {}) {
    fs.writeFileSync(this.file('nginx.conf'), `
${MODULES.map((file) => `load_module ${file};`).join('\n')}
${process.getuid() === 0 ? 'user www-data;' : ''}
daemon off;
pid nginx.pid;
error_log error.log ${level};
${main}

events {
    worker_connections 256;
}

http {
    access_log off;
    client_body_temp_path client_body_temp;
    proxy_temp_path proxy_temp;
    fastcgi_temp_path fastcgi_temp;
    uwsgi_temp_path uwsgi_temp;
    scgi_temp_path scgi_temp;
    ${this.configuration()}
}
`);
  }

  async spawn(env = {}) {
    const log = fs.openSync(this.file('start.log'), 'a');

    this.process = spawn(BINARY, ['-p', `${this.root}/`, '-c', 'nginx.conf', '-e', 'error.log'],
      { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
    this.ended = new Promise((resolve) => {
      this.process.once('exit', resolve);
      this.process.once('error', resolve);
    });

    fs.closeSync(log);
    running.add(this.process);
    this.ended.then(() => running.delete(this.process));

    // nginx writes its pid once it listens
    for (let i = 0; i < 500; i++) {
      if (fs.existsSync(this.file('nginx.pid')) && fs.statSync(this.file('nginx.pid')).size) {
        return;
      }

      if (this.process.exitCode !== null) {
        break;
      }

      await sleep(20);
    }

    throw new Error(`nginx did not start:\n${fs.readFileSync(this.file('start.log'))}`);
  }

  async halt() {
    this.process.kill('SIGTERM');
    await this.ended;
  }

  async stop() {
    await this.halt();
    fs.rmSync(this.root, { recursive: true });
  }
}


function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();

    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();

      server.close(() => resolve(port));
    });
  });
}


module.exports = { Nginx, freePort };
