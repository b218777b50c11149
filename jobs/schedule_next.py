"""The next moments of each job of the schedule, for people and for the timers."""

from datetime import datetime, timedelta

from batch.pace import business_date, utc_text
from jobs.schedule_times import cron_trigger, night_due
from schemas.settings import Settings

LESSER = ("poll", "transmit", "reconcile")
"""Jobs that come by their own times, one after the other, and never while a night is at work."""


def next_times(settings: Settings, now: datetime) -> dict[str, list[datetime]]:
    """The next three moments of each job, in UTC; jobs whose expression is empty are left out. Raises ConfigurationError."""
    found: dict[str, list[datetime]] = {}
    zone = settings.schedule.timezone
    if settings.schedule.nightly:
        cron_trigger(settings.schedule.nightly, zone, "schedule.nightly")
        day = datetime.fromisoformat(business_date(now, zone))
        days = ((day + timedelta(days=number)).date().isoformat() for number in range(400))
        dues = (night_due(settings.schedule.nightly, zone, each) for each in days)
        found["nightly"] = [due for due in dues if due is not None and due > now][:3]
    for job in lesser_jobs(settings):
        trigger, moments = cron_trigger(getattr(settings.schedule, job), zone, f"schedule.{job}"), list[datetime]()
        while len(moments) < 3:
            after = moments[-1] + timedelta(seconds=1) if moments else now
            fires = trigger.get_next_fire_time(None, after)
            if fires is None:
                break
            moments.append(fires.astimezone(now.tzinfo))
        found[job] = moments
    return found


def lesser_jobs(settings: Settings) -> list[str]:
    """The lesser jobs that have a time; copies only where they are sent at all."""
    off = {"transmit"} if settings.channels.transmit == "off" else set[str]()
    return [job for job in LESSER if getattr(settings.schedule, job) and job not in off]


def first_times(times: dict[str, list[datetime]]) -> list[str]:
    """The next moment of each job, a line for each."""
    return [f"{job:<16}{utc_text(moments[0]) if moments else 'never'}" for job, moments in times.items()]
