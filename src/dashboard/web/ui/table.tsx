import type { ReactNode } from 'react'

export type Column<Row> = {
  head: ReactNode
  /** Of the heading and the cells: `num`, and `wide` for what a phone leaves out, among others. */
  className?: string
  cell: (row: Row) => ReactNode
}

type TableProps<Row> = {
  rows: readonly Row[]
  columns: readonly Column<Row>[]
  keyOf: (row: Row) => string
  /** The row that the keyboard is on. */
  at?: number
}

export function Table<Row>({ rows, columns, keyOf, at }: TableProps<Row>) {
  const named = columns.map((column, n) => ({ ...column, id: String(n), headClass: shaping(column) }))
  return (
    <table>
      <thead>
        <tr>
          {named.map(({ id, head, headClass }) => (
            <th key={id} className={headClass}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, n) => (
          <tr key={keyOf(row)} data-row={at === undefined ? undefined : n} className={n === at ? 'on' : ''}>
            {named.map(({ id, className, cell }) => (
              <td key={id} className={className}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Of a column's classes those that its heading shares: where it stands, not how its cells look. */
function shaping({ className = '' }: { className?: string }): string {
  return className
    .split(' ')
    .filter((one) => one === 'num' || one === 'wide')
    .join(' ')
}
