import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ActivityArguments, activity } from "../../src/index.ts";

export interface InvoiceInput {
  readonly orderId: string;
  readonly customerId: string;
  readonly amount: number;
}

/**
 * The activity that writes an order's invoice, as a text file when there is a `folder` for them. The number
 * follows from the order, so that a second attempt writes the same file again.
 */
export function writeInvoice(folder?: string) {
  return activity({
    run: async ({ input }: ActivityArguments<InvoiceInput>) => {
      const invoiceNumber = `INV-${input.orderId}`;
      if (folder !== undefined) await write(folder, invoiceNumber, input);
      return { invoiceNumber };
    },
    local: true,
    retry: { maxAttempts: 5, initial: "200ms", factor: 2, max: "5s" },
    startToClose: "10s",
    scheduleToClose: "1m",
  });
}

async function write(folder: string, invoiceNumber: string, invoice: InvoiceInput): Promise<void> {
  await mkdir(folder, { recursive: true });
  // An order id may hold a colon, which not every file system takes.
  const path = join(folder, `${invoiceNumber.replaceAll(":", "_")}.txt`);
  const { orderId, customerId, amount } = invoice;
  await writeFile(
    path,
    `${invoiceNumber}\norder ${orderId}\ncustomer ${customerId}\namount ${amount}\n`,
  );
}
