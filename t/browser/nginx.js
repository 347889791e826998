'use strict';

// An nginx of one's own with the module, the status page and an application
// behind it, and a client to send it webhooks.
//
//   const nginx = await Nginx.start({ ... });   // see configuration()
//   await nginx.send(event('team.updated'));    // the status
//   await nginx.stop();

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const PAGE = path.join(__dirname, '../../html/clockodo-status.html');
const BINARY = process.env.TEST_NGINX_BINARY || '/usr/sbin/nginx';
const MODULES = (process.env.TEST_NGINX_LOAD_MODULES || '').split(' ').filter(Boolean);

const running = new Set();

process.on('exit', () => running.forEach((child) => child.kill()));

const HOST = 'hooks.example.com';
const TOKEN = 'My_Sup3r_T0k3n';
const NEXT_TOKEN = 'An0ther_T0k3n';


// The body of an event, as text; "change" replaces members or adds some.

function event(name = 'team.updated', change = {}) {
  const entity = name.split('.')[0];
  const budget = { id: 9001, type: 'projectBudget', threshold: 80 };

  return JSON.stringify({
    subscription_id: 42,
    company_id: 1337,
    occurred_at: '1986-05-10T17:02:00Z',
    payload: name === 'project.budget_notification' ? budget : { [entity]: { id: 9001 } },
    event_name: name,
    token: TOKEN,
    ...change,
  });
}


class Nginx {

  // Options: main, http, server, webhook: more lines of the configuration there;
  // secrets: the value of clockodo_secret_file; dedupe: of the location
  // /billing; status: instead of what the location of the JSON has; env: of
  // nginx.

  static async start(options = {}) {
    const nginx = new Nginx();

    nginx.root = fs.mkdtempSync(path.join(os.tmpdir(), 'clockodo-'));
    nginx.port = await freePort();
    nginx.options = options;

    // nginx's workers are not root, and have to get there
    fs.chmodSync(nginx.root, 0o755);
    fs.mkdirSync(nginx.file('html'));
    fs.copyFileSync(PAGE, nginx.file('html/clockodo-status.html'));

    nginx.configure();
    await nginx.spawn();

    return nginx;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/clockodo-status.html`;
  }

  file(name) {
    return path.join(this.root, name);
  }

  configure(change = {}) {
    Object.assign(this.options, change);
    fs.writeFileSync(this.file('nginx.conf'), configuration(this, this.options));
  }

  async spawn() {
    const log = fs.openSync(this.file('start.log'), 'a');
    const env = { ...process.env, ...this.options.env };

    this.process = spawn(BINARY, ['-p', `${this.root}/`, '-c', 'nginx.conf', '-e', 'error.log'],
      { stdio: ['ignore', log, log], env });
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

  // Ends nginx; its files stay for another spawn().

  async halt() {
    this.process.kill('SIGTERM');
    await this.ended;
  }

  async stop() {
    await this.halt();
    fs.rmSync(this.root, { recursive: true });
  }

  signalWorkers(signal) {
    const { pid } = this.process;
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');

    children.trim().split(' ').forEach((worker) => process.kill(Number(worker), signal));
  }

  // Reads the configuration again, with other options, and waits until it is
  // that one which answers.

  async reload(change) {
    this.configure({ ...change, generation: (this.options.generation || 0) + 1 });
    this.process.kill('SIGHUP');

    for (let i = 0; i < 500; i++) {
      const reply = await this.request({ path: '/generation' });

      if (reply.body === String(this.options.generation)) {
        return;
      }

      await sleep(20);
    }

    throw new Error('nginx did not reload');
  }

  // Sends a request; resolves with status, headers and body.

  request({ method = 'GET', path: uri, headers = {}, body = '' }) {
    return new Promise((resolve, reject) => {
      const request = http.request({
        host: '127.0.0.1', port: this.port, path: uri, method, agent: false,
        headers: { Host: HOST, 'Content-Length': Buffer.byteLength(body), ...headers },
      }, (reply) => {
        const parts = [];

        reply.on('data', (part) => parts.push(part));
        reply.on('error', reject);
        reply.on('end', () => resolve({
          status: reply.statusCode,
          headers: reply.headers,
          body: Buffer.concat(parts).toString(),
        }));
      });

      request.on('error', reject);
      request.end(body);
    });
  }

  // Sends a webhook; resolves with the status.

  async send(body, { path: uri = '/clockodo', headers, ...rest } = {}) {
    const reply = await this.request({
      method: 'POST', path: uri, body,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...rest,
    });

    return reply.status;
  }

  async status() {
    const reply = await this.request({ path: '/clockodo-status.json' });

    return JSON.parse(reply.body);
  }

  // The figures, once all "total" requests are counted: nginx does that when
  // the client has got its reply.

  async counted(total) {
    for (let i = 0; i < 500; i++) {
      const figures = await this.status();
      const requests = figures.locations.flatMap((l) => Object.values(l.requests));

      if (requests.reduce((a, b) => a + b) === total) {
        return figures;
      }

      await sleep(20);
    }

    throw new Error(`nginx has not counted ${total} requests`);
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


function configuration({ root, port }, options) {
  const user = process.getuid() === 0 ? 'user www-data;' : '';

  return `
${MODULES.map((file) => `load_module ${file};`).join('\n')}
${user}
daemon off;
worker_processes 2;
pid nginx.pid;
error_log error.log warn;
${options.main || ''}

events {
    worker_connections 256;
}

http {
    access_log off;
    default_type text/html;
    client_body_temp_path client_body_temp;
    proxy_temp_path proxy_temp;
    fastcgi_temp_path fastcgi_temp;
    uwsgi_temp_path uwsgi_temp;
    scgi_temp_path scgi_temp;
    ${options.http || ''}

    # the client of most calls is an address of documentation
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Test-Client;

    server {
        listen 127.0.0.1:${port};
        server_name ${HOST};

        location = /clockodo {
            clockodo_webhook on;
            clockodo_token ${TOKEN};
            clockodo_token ${NEXT_TOKEN} subscription=43;
            clockodo_secret_file ${options.secrets || 'secrets'};
            clockodo_events entry.* team.* *.deleted project.budget_notification;
            clockodo_unknown_events reject;
            clockodo_company 1337;
            clockodo_max_body_size 1k;
            ${options.webhook || ''}
            proxy_pass http://application;
        }

        location = /billing {
            clockodo_webhook on;
            clockodo_token ${TOKEN};
            clockodo_dedupe ${options.dedupe || 'drop'};
            proxy_pass http://application;
        }

        location = /staging {
            clockodo_webhook on;
            clockodo_token ${TOKEN};
            clockodo_max_age 1h;
            proxy_pass http://application;
        }

        ${options.server || ''}

        location = /clockodo-status.json {
            ${options.status || 'clockodo_status;'}
        }

        location = /clockodo-status.html {
            root html;
        }

        location = /generation {
            return 200 ${options.generation || 0};
        }
    }

    # The application: it does not take what it is told about users and about
    # what was deleted.

    upstream application {
        server unix:${root}/application.sock;
    }

    map $http_x_clockodo_event $application_status {
        default     200;
        ~\\.deleted$ 500;
        ~^user\\.    404;
    }

    server {
        listen unix:${root}/application.sock;

        location / {
            client_max_body_size 1m;
            if ($application_status = 500) { return 500; }
            if ($application_status = 404) { return 404; }
            return 200;
        }
    }
}
`;
}


module.exports = { Nginx, event, HOST, TOKEN, NEXT_TOKEN };
