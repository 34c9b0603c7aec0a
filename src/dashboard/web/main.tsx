import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import './style/base.css'
import './style/layout.css'
import './style/parts/badge.css'
import './style/parts/stat.css'
import './style/parts/table.css'
import './style/parts/state.css'
import './style/parts/dialog.css'
import './style/parts/narrow.css'
import './style/pages/login.css'
import './style/pages/queues.css'
import './style/pages/jobs.css'
import './style/pages/job.css'
import './style/pages/narrow.css'

const place = document.getElementById('app')
if (place !== null) createRoot(place).render(<App />)

// A page that comes back from the browser's memory has left the stream.
addEventListener('pageshow', (event) => (event as PageTransitionEvent).persisted && location.reload())
