// A Slack user as Slack's `users.list` and `users.info` give it: the fields of docs.slack.dev "User object", which
// become `remote_data` when Truto maps a Slack member.

import type { JsonRecord } from '../record.js'
import type { Person } from './people.js'
import { Dice } from './random.js'

const colors = ['9f69e7', '4bbe2e', 'e7392d', '3c989f', '674b1b', 'e96699', 'db3150', '5a4592']
const locales = ['en-US', 'de-DE', 'fr-FR', 'ja-JP', 'pt-BR']
const fieldTexts = [
  'https://www.example.com/in/profile',
  'Building 7, 3rd floor',
  'she/her',
  'B-negative',
  'Cost centre "4711"',
  'Ask me about 🥨',
]

/** The workspace that all users of a seed are in. */
export function slackTeamId(seed: number): string {
  return `T0${new Dice(seed, 0, 9).hex(7).toUpperCase()}`
}

/** The Slack user of `person`, about 2 KB of JSON.
 *  @param isHeavy 1 record in 100 is then 10 to 30 KB and 1 in 5,000 above 256 KB: custom profile fields, and teams of
 *  an Enterprise Grid user */
export function slackUser(seed: number, index: number, id: string, person: Person, isHeavy: boolean): JsonRecord {
  const dice = new Dice(seed, index, 2)
  const team = slackTeamId(seed)
  const isDeleted = dice.oneIn(25)
  const isBot = dice.oneIn(50)
  const avatarHash = dice.hex(12)
  const image = `https://avatars.slack-edge.com/2023-0${1 + dice.below(9)}-1${dice.below(10)}/${dice.digits(13)}_${avatarHash}${dice.hex(8)}_`
  const updated = 1_600_000_000 + dice.below(150_000_000)
  const statusText = person.statusText
  const fields: JsonRecord = {}
  for (let n = dice.below(3); n > 0; n--) fields[`Xf${dice.digits(9)}`] = { value: dice.pick(fieldTexts), alt: '' }
  const teams: string[] = [team]
  if (isHeavy) addWeight(dice, fields, teams)
  const isEnterprise = teams.length > 1 || dice.oneIn(3)

  return {
    id,
    team_id: team,
    name: person.handle,
    deleted: isDeleted,
    color: dice.pick(colors),
    real_name: person.displayName,
    tz: person.timezone.name,
    tz_label: person.timezone.label,
    tz_offset: person.timezone.offsetSeconds,
    profile: {
      title: person.title,
      phone: person.phone,
      skype: '',
      real_name: person.displayName,
      real_name_normalized: person.displayName.normalize('NFKD').replace(/\p{M}/gu, ''),
      display_name: person.handle,
      display_name_normalized: person.handle,
      fields: Object.keys(fields).length > 0 ? fields : null,
      status_text: statusText,
      status_emoji: person.statusEmoji,
      status_emoji_display_info: person.statusEmoji
        ? [
            {
              emoji_name: person.statusEmoji.slice(1, -1),
              display_url: `https://a.slack-edge.com/emoji/${dice.hex(8)}.png`,
            },
          ]
        : [],
      status_expiration: statusText && dice.oneIn(2) ? updated + 3600 : 0,
      avatar_hash: avatarHash,
      email: person.email,
      image_original: `${image}original.png`,
      is_custom_image: true,
      first_name: person.firstName,
      last_name: person.lastName,
      team,
      start_date: dice.oneIn(2) ? `20${10 + dice.below(15)}-0${1 + dice.below(9)}-1${dice.below(10)}` : '',
      huddle_state: 'default_unset',
      huddle_state_expiration_ts: 0,
      image_24: `${image}24.png`,
      image_32: `${image}32.png`,
      image_48: `${image}48.png`,
      image_72: `${image}72.png`,
      image_192: `${image}192.png`,
      image_512: `${image}512.png`,
      image_1024: `${image}1024.png`,
      status_text_canonical: '',
    },
    is_admin: dice.oneIn(30),
    is_owner: dice.oneIn(200),
    is_primary_owner: index === 0,
    is_restricted: dice.oneIn(20),
    is_ultra_restricted: dice.oneIn(40),
    is_bot: isBot,
    is_app_user: false,
    updated,
    is_email_confirmed: !isBot,
    has_2fa: dice.oneIn(2),
    ...(isEnterprise && {
      enterprise_user: {
        id,
        enterprise_id: `E${team.slice(1)}`,
        enterprise_name: 'Example & Söhne',
        is_admin: false,
        is_owner: false,
        is_primary_owner: false,
        teams,
      },
    }),
    who_can_share_contact_card: 'EVERYONE',
    locale: dice.pick(locales),
  }
}

function addWeight(dice: Dice, fields: JsonRecord, teams: string[]): void {
  if (dice.oneIn(5000))
    fields[`Xf${dice.digits(9)}`] = { value: 'heavy "ballast" 🧱\n'.repeat(13_000 + dice.below(20_000)), alt: '' }
  else if (dice.oneIn(100)) {
    for (let n = 100 + dice.below(100); n > 0; n--)
      fields[`Xf${dice.digits(9)}`] = { value: dice.pick(fieldTexts), alt: '' }
    for (let n = 200 + dice.below(600); n > 0; n--) teams.push(`T0${dice.hex(7).toUpperCase()}`)
  }
}
