"""The Demandbase adapter: its kinds of export, and the checks of their arguments.

Sources: the vendor's OpenAPI and its page on errors at developer.demandbase.com (read in August
2026).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

from exportjobs.adapter import ExportJob, Flow, export, frozen
from exportjobs_demandbase._api import DemandbaseApi

Source = Literal["demandbase", "google", "linkedin", "all"]
CampaignReport = Literal[
    "campaign_summary",
    "campaign_performance_rollup",
    "campaign_account_lifetime",
    "campaign_account_rollup",
]
CreativeReport = Literal["creative_lifetime", "creative_rollup"]
Filters = Sequence[Mapping[str, object]]
_Members = dict[str, object]

_JOB = "/data/export/v1/job"
_ACCOUNT_LIST = "/data/export/v1/accountList/job"
_PERSON_LIST = "/data/export/v1/personList/job"
_LIST_MEMBERS = {"account_list_ids": "accountListIds", "person_list_ids": "personListIds"}
_LONGEST_NAME = 50
_LONGEST_ACTIVITY_WINDOW = timedelta(days=90)
_MOST_LISTS = 10_000


@frozen
class Demandbase(DemandbaseApi):
    """One account at Demandbase, with an API key set's id and secret, or with a token.

    The vendor allows 60 exports, 300 status requests and 1,200 list requests a day, and one running
    job at a time (developer.demandbase.com/docs/rate-limits). Jobs cannot be cancelled.
    """

    @export
    def accounts(
        self,
        *,
        fields: Sequence[str] | None = None,
        filters: Filters | None = None,
        account_list_ids: Sequence[int] | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        job_name: str = "exportjobs accounts",
    ) -> Flow[ExportJob]:
        """Export accounts.

        Args:
            fields: Names such as "{Account}.name"; the vendor's default if not given.
            filters: A list of conditions, such as `[{"field": "{Account}.industry", "operator":
                "Equals", "values": ["Retail"]}]`; no condition if not given.
            account_list_ids: Only accounts on these lists; at most 10,000 lists.
            from_date: Only from this day on; requires to_date.
            to_date: Only up to this day; requires from_date.
            job_name: The job's name at the vendor, of at most 50 characters.
        """
        what = self._entity("account", job_name, fields, filters)
        lists = self._lists("account_list_ids", account_list_ids)
        return (yield from self._submit(_JOB, what | lists | self._days(from_date, to_date)))

    @export
    def people(
        self,
        *,
        fields: Sequence[str] | None = None,
        filters: Filters | None = None,
        person_list_ids: Sequence[int] | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        job_name: str = "exportjobs people",
    ) -> Flow[ExportJob]:
        """Export people.

        Args:
            fields: Names of the form "{Account}.name"; the vendor's default if not given.
            filters: Such as `[{"field": "{Account}.name", "operator": "Equals", "values": ["A"]}]`.
            person_list_ids: Only people on these lists; at most 10,000 lists.
            from_date: Only from this day on; requires to_date.
            to_date: Only up to this day; requires from_date.
            job_name: The job's name at the vendor, of at most 50 characters.
        """
        what = self._entity("person", job_name, fields, filters)
        lists = self._lists("person_list_ids", person_list_ids)
        return (yield from self._submit(_JOB, what | lists | self._days(from_date, to_date)))

    @export
    def opportunities(
        self,
        *,
        fields: Sequence[str] | None = None,
        filters: Filters | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        job_name: str = "exportjobs opportunities",
    ) -> Flow[ExportJob]:
        """Export opportunities.

        Args:
            fields: Names of the form "{Account}.name"; the vendor's default if not given.
            filters: Such as `[{"field": "{Account}.name", "operator": "Equals", "values": ["A"]}]`.
            from_date: Only from this day on; requires to_date.
            to_date: Only up to this day; requires from_date.
            job_name: The job's name at the vendor, of at most 50 characters.
        """
        what = self._entity("opportunity", job_name, fields, filters)
        return (yield from self._submit(_JOB, what | self._days(from_date, to_date)))

    @export
    def activities(
        self,
        *,
        fields: Sequence[str] | None = None,
        filters: Filters | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        job_name: str = "exportjobs activities",
    ) -> Flow[ExportJob]:
        """Export activities of at most 90 days.

        Args:
            fields: Names of the form "{Account}.name"; the vendor's default if not given.
            filters: Such as `[{"field": "{Account}.name", "operator": "Equals", "values": ["A"]}]`.
            from_date: Only from this day on; requires to_date.
            to_date: Only up to this day, at most 90 days later; requires from_date.
            job_name: The job's name at the vendor, of at most 50 characters.
        """
        if from_date and to_date and to_date - from_date > _LONGEST_ACTIVITY_WINDOW:
            raise self.invalid(
                "to_date", "is more than 90 days after from_date", "export it in several parts"
            )
        what = self._entity("activity", job_name, fields, filters)
        return (yield from self._submit(_JOB, what | self._days(from_date, to_date)))

    @export
    def campaigns(
        self,
        *,
        ad_report_type: CampaignReport = "campaign_summary",
        source: Sequence[Source] = ("all",),
        fields: Sequence[str] | None = None,
        filters: Filters | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        job_name: str = "exportjobs campaigns",
    ) -> Flow[ExportJob]:
        """Export a report on campaigns, by default of all sources.

        Args:
            ad_report_type: Which report; a rollup needs from_date and to_date.
            source: Where the advertisements ran; all sources if not given.
            fields: Names of the form "{Account}.name"; the vendor's default if not given.
            filters: Such as `[{"field": "{Account}.name", "operator": "Equals", "values": ["A"]}]`.
            from_date: Only from this day on; requires to_date.
            to_date: Only up to this day; requires from_date.
            job_name: The job's name at the vendor, of at most 50 characters.
        """
        what = self._entity("campaign", job_name, fields, filters)
        report = self._report(ad_report_type, source, self._days(from_date, to_date))
        return (yield from self._submit(_JOB, what | report))

    @export
    def creatives(
        self,
        *,
        ad_report_type: CreativeReport = "creative_lifetime",
        source: Sequence[Source] = ("all",),
        fields: Sequence[str] | None = None,
        filters: Filters | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        job_name: str = "exportjobs creatives",
    ) -> Flow[ExportJob]:
        """Export a report on creatives, by default of all sources.

        Args:
            ad_report_type: Which report; a rollup needs from_date and to_date.
            source: Where the advertisements ran; all sources if not given.
            fields: Names of the form "{Account}.name"; the vendor's default if not given.
            filters: Such as `[{"field": "{Account}.name", "operator": "Equals", "values": ["A"]}]`.
            from_date: Only from this day on; requires to_date.
            to_date: Only up to this day; requires from_date.
            job_name: The job's name at the vendor, of at most 50 characters.
        """
        what = self._entity("creative", job_name, fields, filters)
        report = self._report(ad_report_type, source, self._days(from_date, to_date))
        return (yield from self._submit(_JOB, what | report))

    @export
    def account_buying_groups(
        self,
        *,
        fields: Sequence[str] | None = None,
        filters: Filters | None = None,
        account_list_ids: Sequence[int] | None = None,
        job_name: str = "exportjobs account buying groups",
    ) -> Flow[ExportJob]:
        """Export accounts' buying groups.

        Args:
            fields: Names of the form "{Account}.name"; the vendor's default if not given.
            filters: Such as `[{"field": "{Account}.name", "operator": "Equals", "values": ["A"]}]`.
            account_list_ids: Only accounts on these lists; at most 10,000 lists.
            job_name: The job's name at the vendor, of at most 50 characters.
        """
        what = self._entity("accountBuyingGroup", job_name, fields, filters)
        lists = self._lists("account_list_ids", account_list_ids)
        return (yield from self._submit(_JOB, what | lists))

    @export
    def person_buying_group_members(
        self,
        *,
        fields: Sequence[str] | None = None,
        filters: Filters | None = None,
        person_list_ids: Sequence[int] | None = None,
        job_name: str = "exportjobs buying group members",
    ) -> Flow[ExportJob]:
        """Export the members of buying groups.

        Args:
            fields: Names of the form "{Account}.name"; the vendor's default if not given.
            filters: Such as `[{"field": "{Account}.name", "operator": "Equals", "values": ["A"]}]`.
            person_list_ids: Only people on these lists; at most 10,000 lists.
            job_name: The job's name at the vendor, of at most 50 characters.
        """
        what = self._entity("personBuyingGroupMember", job_name, fields, filters)
        lists = self._lists("person_list_ids", person_list_ids)
        return (yield from self._submit(_JOB, what | lists))

    @export
    def account_lists(
        self,
        *,
        account_list_ids: Sequence[int] | None = None,
        job_name: str = "exportjobs account lists",
    ) -> Flow[ExportJob]:
        """Export lists of accounts.

        Args:
            account_list_ids: Only these lists, at most 10,000; all of them if not given.
            job_name: The job's name at the vendor, of at most 50 characters.
        """
        lists = self._lists("account_list_ids", account_list_ids)
        return (yield from self._submit(_ACCOUNT_LIST, self._named(job_name) | lists))

    @export
    def person_lists(
        self,
        *,
        person_list_ids: Sequence[int] | None = None,
        job_name: str = "exportjobs person lists",
    ) -> Flow[ExportJob]:
        """Export lists of people.

        Args:
            person_list_ids: Only these lists, at most 10,000; all of them if not given.
            job_name: The job's name at the vendor, of at most 50 characters.
        """
        lists = self._lists("person_list_ids", person_list_ids)
        return (yield from self._submit(_PERSON_LIST, self._named(job_name) | lists))

    def _named(self, job_name: str) -> _Members:
        if not 0 < len(job_name) <= _LONGEST_NAME:
            reason = f"has {len(job_name)} characters"
            raise self.invalid("job_name", reason, f"pass 1 to {_LONGEST_NAME} characters")
        return {"jobName": job_name}

    def _entity(
        self, entity: str, job_name: str, fields: Sequence[str] | None, filters: Filters | None
    ) -> _Members:
        what = {"entityType": entity, "fields": fields, "filters": filters, "format": "csv"}
        return self._named(job_name) | what

    def _days(self, start: date | None, end: date | None) -> _Members:
        if (start is None) != (end is None):
            missing = "from_date" if start is None else "to_date"
            raise self.invalid(missing, "is missing", "pass from_date and to_date together")
        self.check_order("from_date", start, end)
        return {"fromDate": start, "toDate": end}

    def _lists(self, argument: str, ids: Sequence[int] | None) -> _Members:
        if ids is not None and not 0 < len(ids) <= _MOST_LISTS:
            remedy = f"pass 1 to {_MOST_LISTS} ids, or None for all"
            raise self.invalid(argument, f"holds {len(ids)} ids", remedy)
        return {_LIST_MEMBERS[argument]: ids}

    def _report(self, report_type: str, source: Sequence[str], days: _Members) -> _Members:
        if report_type.endswith("_rollup") and days["fromDate"] is None:
            reason = f"is {report_type}, which needs a range of days"
            raise self.invalid("ad_report_type", reason, "pass from_date and to_date")
        if not source:
            raise self.invalid("source", "is empty", "pass a source, such as all")
        return days | {"adReportType": report_type, "source": source}
