-- Everybody reads reviews; only their author writes them.
ALTER TABLE "Review" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Review_read" ON "Review" FOR SELECT USING (true);

CREATE POLICY "Review_write" ON "Review" FOR ALL
    USING ("userId" = current_setting('shop.user_id', true))
    WITH CHECK ("userId" = current_setting('shop.user_id', true));
