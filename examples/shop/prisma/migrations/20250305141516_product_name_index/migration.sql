-- The shop is open while this index is built.
CREATE INDEX CONCURRENTLY "Product_name_idx" ON "Product"("name");
