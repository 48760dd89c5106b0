// The persons behind the members: names of many scripts, titles, time zones, and the status texts that people really
// write, with emoji, quotes and line breaks. Slack users and Graph members are two views of the same person.

import { Dice } from './random.js'

/** One person, before a provider describes them. */
export interface Person {
  readonly firstName: string
  readonly lastName: string
  /** First and last name, rarely with an emoji. */
  readonly displayName: string
  /** ASCII, unique by its number: `lena.schneider42`. */
  readonly handle: string
  readonly email: string
  readonly title: string
  readonly statusText: string
  readonly statusEmoji: string
  readonly timezone: TimeZone
  readonly phone: string
}

/** A time zone as Slack names it. */
export interface TimeZone {
  readonly name: string
  readonly label: string
  readonly offsetSeconds: number
}

/** Name and ASCII form. */
const firstNames = [
  ['Lena', 'lena'],
  ['Zoë', 'zoe'],
  ['José', 'jose'],
  ['Łukasz', 'lukasz'],
  ['Søren', 'soren'],
  ['Anaïs', 'anais'],
  ['Олена', 'olena'],
  ['Дмитрий', 'dmitriy'],
  ['محمد', 'mohammed'],
  ['נועה', 'noa'],
  ['美咲', 'misaki'],
  ['하은', 'haeun'],
  ['Nguyệt', 'nguyet'],
  ['Priya', 'priya'],
  ['Oluwaseun', 'oluwaseun'],
  ['Maximilian', 'maximilian'],
  ['Grace', 'grace'],
  ['Hiroshi', 'hiroshi'],
  ['Fatima', 'fatima'],
  ['Ben', 'ben'],
  ['Charlotte', 'charlotte'],
  ['Mateo', 'mateo'],
  ['Ana-Sofía', 'anasofia'],
  ['Tom', 'tom'],
] as const
const lastNames = [
  ['Schneider', 'schneider'],
  ['O’Connor', 'oconnor'],
  ["D'Angelo", 'dangelo'],
  ['Nguyễn', 'nguyen'],
  ['Müller-Lüdenscheidt', 'muellerluedenscheidt'],
  ['García Márquez', 'garciamarquez'],
  ['Øster', 'oster'],
  ['Иванова', 'ivanova'],
  ['الفارسي', 'alfarsi'],
  ['佐藤', 'sato'],
  ['김', 'kim'],
  ['Smith', 'smith'],
  ['Okonkwo', 'okonkwo'],
  ['Łuczak', 'luczak'],
  ['van der Berg', 'vanderberg'],
  ['Patel', 'patel'],
  ['Şahin', 'sahin'],
  ['Johansson', 'johansson'],
  ['Wu', 'wu'],
  ['Fernández', 'fernandez'],
] as const
const titles = [
  'Software Engineer',
  'Senior Product Manager, Growth & Retention',
  'VP "Special Projects"',
  'Customer Success',
  'Data Scientist / ML',
  'Ingénieure logiciel',
  'Leiter Qualitätssicherung',
  'Recruiter',
  '開発者',
  'Site Reliability Engineer',
  '',
]
// Built from code points where an editor would hide what is there: U+2028, a ZWJ sequence, a right-to-left override.
const statusTexts = [
  '',
  '',
  '',
  'In a meeting',
  'Working remotely 🏡',
  'Vacationing until 24.12. 🎄🎅',
  'Line one\nline two',
  'Reading "Designing Data-Intensive Applications"',
  'C:\\Users\\me\\Desktop',
  'a,b;c\td',
  '=SUM(A1:A9)',
  `family ${String.fromCodePoint(0x1f468, 0x200d, 0x1f469, 0x200d, 0x1f467)} first`,
  `paragraph${String.fromCodePoint(0x2028)}separator`,
  `right${String.fromCodePoint(0x202e)}to left`,
  'Отпуск до понедельника',
  '外出中です',
  'commuting\r\n(back at 10)',
] as const
const statusEmoji = [
  '',
  '',
  ':calendar:',
  ':house_with_garden:',
  ':palm_tree:',
  ':face_with_thermometer:',
  ':bus:',
] as const
const timeZones: readonly TimeZone[] = [
  { name: 'America/Los_Angeles', label: 'Pacific Standard Time', offsetSeconds: -28800 },
  { name: 'America/New_York', label: 'Eastern Standard Time', offsetSeconds: -18000 },
  { name: 'Europe/London', label: 'Greenwich Mean Time', offsetSeconds: 0 },
  { name: 'Europe/Berlin', label: 'Central European Time', offsetSeconds: 3600 },
  { name: 'Asia/Kolkata', label: 'India Standard Time', offsetSeconds: 19800 },
  { name: 'Asia/Tokyo', label: 'Japan Standard Time', offsetSeconds: 32400 },
  { name: 'Australia/Adelaide', label: 'Australian Central Standard Time', offsetSeconds: 34200 },
]
const domains = ['example.com', 'mail.example.org', 'contoso.example', 'subsidiary.example.co.uk']

/** The person behind member `index`. */
export function personAt(seed: number, index: number): Person {
  const dice = new Dice(seed, index, 1)
  const [firstName, firstAscii] = dice.pick(firstNames)
  const [lastName, lastAscii] = dice.pick(lastNames)
  const handle = `${firstAscii}.${lastAscii}${index}`
  return {
    firstName,
    lastName,
    displayName: dice.oneIn(40) ? `${firstName} ${lastName} 🚀` : `${firstName} ${lastName}`,
    handle,
    email: `${handle}@${dice.pick(domains)}`,
    title: dice.pick(titles),
    statusText: dice.pick(statusTexts),
    statusEmoji: dice.pick(statusEmoji),
    timezone: dice.pick(timeZones),
    phone: dice.oneIn(3) ? '' : `+${1 + dice.below(98)} ${dice.digits(3)} ${dice.digits(7)}`,
  }
}
