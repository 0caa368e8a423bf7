-- Delays grow with the failures since the last success and count from the last attempt: the start of a window says nothing any
-- more. Failures of before count from now on. Both statements change the catalogue alone.
ALTER TABLE "sign_in_attempts" DROP COLUMN "window_started_at";--> statement-breakpoint
ALTER TABLE "sign_in_attempts" ALTER COLUMN "last_attempt_at" DROP DEFAULT;