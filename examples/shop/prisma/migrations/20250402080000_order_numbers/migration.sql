-- Orders get a number that people can say on the telephone; the oldest order is number 1.

-- AlterTable
ALTER TABLE "Order" ADD COLUMN "number" SERIAL NOT NULL;

-- Number the orders that exist by their date
UPDATE "Order" SET "number" = numbered."position"
FROM (
    SELECT "id", row_number() OVER (ORDER BY "placedAt", "id") AS "position" FROM "Order"
) AS numbered
WHERE numbered."id" = "Order"."id";

-- CreateIndex
CREATE UNIQUE INDEX "Order_number_key" ON "Order"("number");
