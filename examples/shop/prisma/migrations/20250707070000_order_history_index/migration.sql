-- DropIndex
DROP INDEX "Order_userId_idx";

-- CreateIndex
CREATE INDEX "OrderItem_productId_idx" ON "OrderItem"("productId");
