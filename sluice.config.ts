import { defineConfig } from "sluice";

/** What `npm start` serves: two endpoints to try a key on. */
const orders = [{ id: 1, item: "tea" }];

export default defineConfig({
  endpoints: [
    { id: "list-orders", method: "GET", path: "/orders", handler: () => orders },
    {
      id: "create-order",
      method: "POST",
      path: "/orders",
      async handler({ body, realtime }) {
        const item =
          typeof body === "object" && body !== null && "item" in body
            ? String(body.item).slice(0, 100)
            : "tea";
        const order = { id: orders.length + 1, item };
        orders.push(order);
        await realtime.publish("orders", "created", order);
        return Response.json(order, { status: 201 });
      },
    },
  ],
});
