const mostRows = 1000
const mostSize = 4 * 1024 * 1024

/** The rows in groups bounded in number and size: no statement, and no copy of one, grows with its batch. */
export function* slices<Row>(rows: readonly Row[], sizeOf: (row: Row) => number): Generator<Row[]> {
  let slice: Row[] = []
  let size = 0
  for (const row of rows) {
    if (slice.length > 0 && (slice.length >= mostRows || size + sizeOf(row) > mostSize)) {
      yield slice
      slice = []
      size = 0
    }
    slice.push(row)
    size += sizeOf(row)
  }
  if (slice.length > 0) yield slice
}
