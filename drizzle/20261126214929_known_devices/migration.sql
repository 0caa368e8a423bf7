-- A wrong password delays whoever sent it and locks nobody else out: browsers that signed in before are remembered, by the
-- hash of a cookie. Adding the column rewrites `sign_in_attempts`, which holds a day of failures; the lock is short.
CREATE TABLE "user_devices" (
	"token_hash" bytea,
	"user_id" uuid,
	"expires_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "user_devices_pk" PRIMARY KEY("token_hash","user_id")
);
--> statement-breakpoint
ALTER TABLE "sign_in_attempts" ADD COLUMN "last_attempt_at" timestamp(3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "user_devices_user_expiry" ON "user_devices" ("user_id","expires_at");--> statement-breakpoint
CREATE INDEX "user_devices_expiry" ON "user_devices" ("expires_at");--> statement-breakpoint
ALTER TABLE "user_devices" ADD CONSTRAINT "user_devices_user" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON user_devices TO filegraph_app;
