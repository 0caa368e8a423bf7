import { type JobContext, schedule } from '../src/jobs/schedule.ts'

/** Runs what a job queues at once, in this process, one tenant after the other. */
export function withoutQueue(ctx: Omit<JobContext, 'enqueue'>): JobContext {
  const job: JobContext = {
    ...ctx,
    async enqueue(name, tenantIds) {
      for (const tenantId of tenantIds) await runJob(job, name, tenantId)
    },
  }
  return job
}

/** A job of the schedule, by its name. */
export async function runJob(ctx: JobContext, name: string, tenantId?: string): Promise<void> {
  const job = schedule.find((one) => one.name === name)
  if (!job) throw new Error(`No job is called ${name}`)
  await job.run(ctx, tenantId)
}
