-- AlterEnum
ALTER TYPE "Role" ADD VALUE 'SUPPORT';

-- AlterEnum
ALTER TYPE "PaymentProvider" ADD VALUE 'INVOICE';
