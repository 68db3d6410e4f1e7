-- A customer's orders, newest first
CREATE INDEX CONCURRENTLY "Order_userId_placedAt_idx" ON "Order"("userId", "placedAt" DESC);
