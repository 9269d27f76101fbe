// BullMQ, a queue and its worker: node bullmq.js PORT
'use strict';
const { Queue, QueueEvents, Worker } = require('bullmq');
const { over, round, failed, same } = require('./report');

const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null };

async function main() {
  const queue = new Queue('jobs', { connection });
  const events = new QueueEvents('jobs', { connection });
  const worker = new Worker('jobs', async (job) => 2 * job.data.number, { connection, concurrency: 2 });
  for (const each of [queue, events, worker]) each.on('error', () => {});
  for (let number = 1; !over(); number++) {
    try {
      const job = await queue.add('double', { number }, { removeOnComplete: 100 });
      let result;
      try {
        result = await job.waitUntilFinished(events, 5000);
      } catch (error) {
        // an event that was told while nobody could listen is not told again: the job itself knows
        if (!/timed out/.test(error.message)) throw error;
        const found = await queue.getJob(job.id);
        if (!found || !(await found.isCompleted())) throw error;
        result = found.returnvalue;
      }
      same('result', result, 2 * number);
      round();
    } catch (error) {
      failed(error);
    }
  }
  await Promise.race([
    Promise.all([worker.close(true), events.close(), queue.close()]),
    new Promise((resolve) => setTimeout(resolve, 5000)),
  ]);
  process.exit(0);
}

main();
