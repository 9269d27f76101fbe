// ioredis with its defaults: node ioredis.js PORT
'use strict';
const Redis = require('ioredis');
const { over, round, failed, same } = require('./report');

const port = Number(process.argv[2]);
const client = new Redis(port);
const waiter = new Redis(port);
const subscriber = new Redis(port);
for (const each of [client, waiter, subscriber]) each.on('error', () => {});
const heard = new Map();
subscriber.on('message', (channel, message) => {
  const resolve = heard.get(message);
  if (resolve) resolve();
});
client.defineCommand('plus', { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])" });

async function message(number) {
  const text = String(number);
  const arrived = new Promise((resolve) => { heard.set(text, resolve); });
  const receivers = await client.publish('io:news', text);
  if (receivers) await Promise.race([arrived, new Promise((resolve) => setTimeout(resolve, 2000))]);
  heard.delete(text);
}

async function one(number) {
  const text = String(number);
  await new Promise((resolve) => setTimeout(resolve, 50)); // an application thinks
  same('a settled value', await client.get('settled'), 'here');
  await client.set('io:k', number);
  same('GET', await client.get('io:k'), text);
  await client.hset('io:h', { a: number, b: 'x' });
  same('HGETALL', await client.hgetall('io:h'), { a: text, b: 'x' });
  const replies = await client.multi().set('io:t', number).incr('io:t').get('io:t').exec();
  same('EXEC', replies, [[null, 'OK'], [null, number + 1], [null, String(number + 1)]]);
  const pipe = client.pipeline();
  for (let place = 0; place < 10; place++) pipe.set(`io:p${place}`, number).get(`io:p${place}`);
  const answered = await pipe.exec();
  same('pipeline', answered.map(([error, value]) => error || value), Array(10).fill(['OK', text]).flat());
  const before = await client.plus('io:sum', 0);
  same('script', await client.plus('io:sum', 2), before + 2);
  await client.hset(`io:job:${number}`, 'payload', number);
  await client.rpush('io:jobs', number);
  const [, job] = await waiter.blpop('io:jobs', 5);
  same('the job\'s data', await client.hget(`io:job:${job}`, 'payload'), job);
  await client.del(`io:job:${job}`);
  await message(number);
}

async function main() {
  await subscriber.subscribe('io:news');
  for (let number = 1; !over(); number++) {
    try {
      await one(number);
      round();
    } catch (error) {
      failed(error);
    }
  }
  for (const each of [client, waiter, subscriber]) each.disconnect();
}

main();
