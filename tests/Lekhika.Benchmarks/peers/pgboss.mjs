// pg-boss. MODE drain: JOBS fetched and completed in batches of BATCH by two loops. MODE latency: a worker at its shortest polling interval.
import * as module from 'pg-boss';
import { clock, holdSnapshot, jobs, latencies, pool, result, url } from './common.mjs';

const PgBoss = module.PgBoss ?? module.default?.PgBoss ?? module.default;
const boss = new PgBoss({ connectionString: url, max: 10, schedule: false });
boss.on('error', error => console.error(error));
await boss.start();
await boss.createQueue('q');
if (process.env.MODE === 'drain') {
  const insert = async count => {
    for (let left = count; left > 0; left -= 5000) {
      await boss.insert('q', Array.from({ length: Math.min(5000, left) }, () => ({ name: 'q', data: { id: 'x' } })));
    }
  };
  let done = 0;
  const loop = async wanted => {
    while (done < wanted) {
      const batch = await boss.fetch('q', { batchSize: Number(process.env.BATCH ?? 500) });
      if (!batch?.length) break;
      await boss.complete('q', batch.map(job => job.id));
      done += batch.length;
    }
  };
  const warm = Number(process.env.WARM ?? 0);
  await insert(warm);
  await Promise.all([loop(warm), loop(warm)]);
  const release = process.env.SNAPSHOT === '1' ? await holdSnapshot() : async () => {};
  await insert(jobs);
  done = 0;
  const begun = clock();
  await Promise.all([loop(jobs), loop(jobs)]);
  const seconds = (clock() - begun) / 1000;
  await release();
  result({ rate: done / seconds });
} else {
  const started = new Map();
  await boss.work('q', { pollingIntervalSeconds: 0.5, batchSize: 100 }, async batch => { for (const job of batch) started.set(job.data.id, clock()); });
  const times = await latencies(
    (client, id) => boss.send('q', { id }, { db: { executeSql: (text, values) => client.query(text, values) } }), started, Math.min(jobs, 40));
  result({ times });
}
