import '#lib/errors'
import 'zod'

// Ends with 0 where its user can reach Bun, the sources and the packages.
