const checkMs = 500

/**
 * Asks this process to stop when the npm that started it has gone without telling, such as after a kill -9. Started by
 * anything else it stays: a shell that ends does not mean the end of what it put into the background.
 */
export function stopWithParent() {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGHUP')
  }, checkMs)
  timer.unref()
}
