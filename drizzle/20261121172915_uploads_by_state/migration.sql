-- Lists of upload intents in one state pass over the others without reading their rows. Locks `uploads` against writing while
-- the indexes are made.

DROP INDEX "uploads_created";--> statement-breakpoint
CREATE INDEX "uploads_created" ON "uploads" ("tenant_id","created_at","id","state");--> statement-breakpoint
DROP INDEX "uploads_by_creator";--> statement-breakpoint
CREATE INDEX "uploads_by_creator" ON "uploads" ("tenant_id","created_by","created_at","id","state");