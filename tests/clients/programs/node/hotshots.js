// hot-shots, a client of DogStatsD: node hotshots.js PORT
'use strict';
const StatsD = require('hot-shots');

const client = new StatsD({ host: '127.0.0.1', port: Number(process.argv[2]), prefix: 'hs.', includeDatadogTelemetry: false });
for (let number = 0; number < 3; number++) {
  client.increment('count', 2, ['site:a']);
  client.gauge('level', number);
  client.timing('time', 250);
  client.histogram('size', 2.5);
  client.distribution('spread', 4);
  client.set('users', `user ${number % 2}`);
}
client.event('title', 'two\nlines', { alert_type: 'error', priority: 'low' }, ['site:a']);
client.check('up', client.CHECKS.WARNING, { message: 'slow' }, ['site:a']);
client.close(() => process.exit(0));
